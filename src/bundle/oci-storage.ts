// Puts the files of bundles into an OCI registry instead of the cluster (spec 5.6). The order makes every crash harmless: a secret that stands for the
// artifact, the artifact, the bundle, and last the bundle as the owner of the secret. A secret that is there already, for deployments may be using it, gets
// another registry only when the artifact lies there. Deleting what nobody uses any more is left to the next stage.
import type { Bundle, BundleResource } from '../api/bundle.ts'
import { encodeContent } from '../api/content-id.ts'
import { BUNDLE } from '../api/kinds.ts'
import { DEFAULT_OCI_SECRET_NAME, INTERNAL_SECRET_LABEL, OCI_STORAGE_SECRET, REPO_NAME_LABEL } from '../api/labels.ts'
import {
  ARTIFACT_TAG,
  artifactAnnotations,
  artifactOf,
  artifactRepository,
  type OciStorage,
  parseOciStorage,
  storageData,
} from '../api/oci-storage.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists, isConflict } from '../lib/kube/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { artifactLayer, pushArtifact } from '../lib/oci/artifact.ts'
import { OciError } from '../lib/oci/errors.ts'
import type { Registries } from '../lib/oci/registry.ts'
import { isDeleting, owningBundles, SECRET, type Secret, type StoredSecret, storageDigest } from './oci-secrets.ts'
import type { WantedBundle } from './publish-plan.ts'
import { readManifest } from './read-contents.ts'

/** How the secrets are looked up: in caches where there are some. */
export interface StorageSecrets {
  /** A secret with a registry, as it is now. */
  registry(name: string, namespace: string): Promise<Secret | undefined>
  /** The secret of stored contents. */
  contents(id: string, namespace: string): StoredSecret | undefined | Promise<StoredSecret | undefined>
  /** Secrets of a repository that a publishing left behind which did not come to its end. */
  abandoned?(repoName: string, namespace: string): readonly StoredSecret[]
}

export interface ContentStorageOptions {
  readonly client: KubeClient
  readonly secrets: StorageSecrets
  readonly registries: Registries
}

export interface ContentStorage {
  /**
   * The storage that a secret describes; `ocistorage` if none is named. Undefined if that is not there: files then stay in the bundles.
   * Throws an Error when the secret that is named is missing, or one cannot be used.
   */
  open(namespace: string, secretName: string | undefined): Promise<OpenStorage | undefined>
  /** The bundle with its files, from wherever they are. Throws OciError. */
  restore(bundle: Bundle, signal: AbortSignal): Promise<Bundle>
}

/** The storage for one publishing. */
export interface OpenStorage {
  /** The bundle without its files, which are remembered, and with their id in their place. */
  strip(one: WantedBundle): WantedBundle
  /** Before bundles are written: stores what is not known to be stored. Throws OciError. */
  push(bundles: readonly Bundle[], before: (name: string) => Bundle | undefined, signal: AbortSignal): Promise<void>
  /** After a bundle was written: makes it the owner of what was pushed for it. */
  own(bundle: Bundle, signal: AbortSignal): Promise<void>
  /** Gives what an interrupted publishing left behind to a bundle of the same repository, whose controller then deletes it. */
  handOver(bundle: Bundle, signal: AbortSignal): Promise<void>
}

const PUSHES_AT_A_TIME = 4
const MAX_BYTES = 256 * 2 ** 20
const MAX_FILES = 50_000
const RETRY_MS = 2_000

export function createContentStorage({ client, secrets, registries }: ContentStorageOptions): ContentStorage {
  async function open(namespace: string, secretName: string | undefined): Promise<OpenStorage | undefined> {
    const name = secretName || DEFAULT_OCI_SECRET_NAME
    const secret = await secrets.registry(name, namespace)
    const shown = `${namespace}/${name}`
    if (!secret && secretName)
      throw new Error(`secret ${shown} with the OCI registry is missing: create it, or name another in ociRegistrySecret`)
    if (!secret) return undefined
    if (secret.type !== OCI_STORAGE_SECRET)
      throw new Error(
        `secret ${shown} with the OCI registry has the type ${secret.type ?? 'Opaque'}: make it one of type ${OCI_STORAGE_SECRET}`,
      )
    return openStorage(namespace, storageData(secret.data), parseOciStorage(secret.data, shown), shown)
  }

  function openStorage(namespace: string, data: Record<string, string>, { reference, access }: OciStorage, shown: string): OpenStorage {
    const files = new Map<string, readonly BundleResource[]>() // by id
    const pending = new Map<string, Secret>() // by name of the bundle
    const digest = storageDigest(data)

    /** True if the bundle has been pushed with this secret before, and nobody can be about to delete that. */
    async function isSettled({ metadata, spec }: Bundle, before: Bundle | undefined): Promise<boolean> {
      const id = spec.contentsId ?? ''
      if (!before || before.spec.contentsId !== id) return false
      const known = await secrets.contents(id, namespace)
      return (
        known !== undefined &&
        !isDeleting(known) &&
        known.digest === digest &&
        owningBundles(known).includes(metadata.uid ?? before.metadata.uid ?? '')
      )
    }

    async function pushOne(bundle: Bundle, signal: AbortSignal): Promise<void> {
      const id = bundle.spec.contentsId ?? ''
      const secret = await claimSecret(bundle, id, signal)
      const { json } = encodeContent(files.get(id) ?? [])
      try {
        await pushArtifact(registries.repository(artifactRepository(reference, id), access), ARTIFACT_TAG, artifactOf(id, json), signal)
      } catch (error) {
        throw namingSecret(error, shown)
      }
      pending.set(bundle.metadata.name, await updateSecret(secret, signal))
    }

    /** Nobody owns it yet: whoever looks for what may be deleted does not find it. */
    async function claimSecret({ metadata: { labels } }: Bundle, id: string, signal: AbortSignal): Promise<Secret> {
      const repo = labels?.[REPO_NAME_LABEL]
      const wanted: Secret = {
        ...SECRET,
        type: OCI_STORAGE_SECRET,
        metadata: { name: id, namespace, labels: { [INTERNAL_SECRET_LABEL]: 'true', ...(repo ? { [REPO_NAME_LABEL]: repo } : {}) } },
        data,
      }
      try {
        if (!(await secrets.contents(id, namespace))) return await client.create(wanted, { signal })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
      const existing = await client.find<Secret>({ ...SECRET, name: id, namespace }, { signal })
      if (!existing || isDeleting(existing)) throw leaving(id)
      if (existing.type !== OCI_STORAGE_SECRET)
        throw new Error(`secret ${namespace}/${id} is in the way of the one for contents in a registry: delete it`)
      return existing
    }

    async function updateSecret(secret: Secret, signal: AbortSignal): Promise<Secret> {
      if (storageDigest(secret.data) === digest) return secret
      try {
        return await client.update({ ...secret, data }, { signal })
      } catch (error) {
        if (!isConflict(error)) throw error
        const newest = await client.find<Secret>({ ...SECRET, name: secret.metadata.name, namespace }, { signal })
        if (newest && !isDeleting(newest) && storageDigest(newest.data) === digest) return newest // another bundle has the same files
        throw error
      }
    }

    async function own(bundle: Bundle, signal: AbortSignal): Promise<void> {
      const { name } = bundle.metadata
      const secret = pending.get(name)
      if (!secret) return
      const ref = { ...SECRET, name: secret.metadata.name, namespace }
      const newest = await client.find<Secret>(ref, { signal })
      if (!newest || isDeleting(newest)) throw leaving(ref.name)
      pending.delete(name)
      await addOwner(newest, bundle, signal)
    }

    async function addOwner({ metadata }: KubeObject, bundle: Bundle, signal: AbortSignal): Promise<void> {
      const { ownerReferences = [], resourceVersion } = metadata
      const { name, uid = '' } = bundle.metadata
      if (ownerReferences.some((owner) => owner.uid === uid)) return
      const controller = !ownerReferences.some((owner) => owner.controller)
      const owners = [...ownerReferences, { ...BUNDLE, name, uid, controller, blockOwnerDeletion: true }]
      const changes = { ownerReferences: owners, ...(resourceVersion ? { resourceVersion } : {}) }
      await client.patch({ ...SECRET, name: metadata.name, namespace }, { metadata: changes }, { type: 'merge', signal })
    }

    function leaving(id: string): WaitingError {
      return new WaitingError(`waiting for the end of the artifact ${id} in the registry, which is being deleted`, {
        retryAfterMs: RETRY_MS,
      })
    }

    return {
      strip(one) {
        const { resources, ...spec } = one.bundle.spec
        const { id } = encodeContent(resources)
        files.set(id, resources ?? [])
        return { ...one, bundle: { ...one.bundle, spec: { ...spec, contentsId: id } } }
      },
      async push(bundles, before, signal) {
        // first, so that a registry that is full or away is noticed before anything is written
        await inParallel(bundles, PUSHES_AT_A_TIME, async (bundle) => {
          if (!(await isSettled(bundle, before(bundle.metadata.name)))) await pushOne(bundle, signal)
        })
      },
      own,
      async handOver(bundle, signal) {
        const left = secrets.abandoned?.(bundle.metadata.labels?.[REPO_NAME_LABEL] ?? '', namespace) ?? []
        for (const secret of left) if (!files.has(secret.metadata.name)) await addOwner(secret, bundle, signal)
      },
    }
  }

  async function restore(bundle: Bundle, signal: AbortSignal): Promise<Bundle> {
    const { namespace = '' } = bundle.metadata
    const { contentsId: id } = bundle.spec
    const secret = id ? await client.find<Secret>({ ...SECRET, name: id, namespace }, { signal }) : undefined
    if (!id || !secret) return bundle
    const { reference, access } = parseOciStorage(secret.data, `${namespace}/${id}`)
    const repository = registries.repository(artifactRepository(reference, id), access)
    const layer = await artifactLayer(repository, ARTIFACT_TAG, artifactAnnotations(id), signal)
    const resources = readManifest(await repository.blob(layer, signal, MAX_BYTES), id)
    if (resources.length > MAX_FILES) return bundle
    return { ...bundle, spec: { ...bundle.spec, resources } }
  }

  return { open, restore }
}

/** Where to correct what the registry does not accept. */
function namingSecret(error: unknown, secret: string): unknown {
  if (!(error instanceof OciError)) return error
  const { kind, message, retryAfterMs } = error
  if (kind === 'certificate') return new OciError(kind, `${message} (as cacerts in secret ${secret})`, retryAfterMs)
  return kind === 'authentication' ? new OciError(kind, `${message} (in secret ${secret})`, retryAfterMs) : error
}
