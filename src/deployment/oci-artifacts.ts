// Deletes artifacts that nobody uses any more (spec 5.6), but never one that another bundle has: each is marked first, then looked at once more, then deleted,
// and last its secret. A failure is told and tried again a few times; it never keeps a bundle from going.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE } from '../api/kinds.ts'
import { OCI_STORAGE_SECRET } from '../api/labels.ts'
import { ARTIFACT_TAG, artifactRepository, parseOciStorage } from '../api/oci-storage.ts'
import {
  BY_BUNDLE_UID,
  DELETING_ANNOTATION,
  isDeleting,
  owningBundles,
  referenceOf,
  SECRET,
  type Secret,
  type StoredSecret,
} from '../bundle/oci-secrets.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf } from '../lib/controller/errors.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { Registries } from '../lib/oci/registry.ts'
import { artifactsToDelete } from './oci-unused.ts'

export interface ArtifactKeeper {
  /** Deletes what the bundle had before and nothing needs any more. Returns after how many milliseconds to look again, 0 for never. */
  tidy(bundle: Bundle, deployments: readonly BundleDeployment[], signal: AbortSignal): Promise<number>
  /** The same for a bundle without deployments that goes. */
  clear(bundle: Bundle, signal: AbortSignal): Promise<number>
}

export interface ArtifactKeeperDeps {
  readonly client: KubeClient
  readonly secrets: Informer<StoredSecret>
  readonly bundles: Pick<Informer<Bundle>, 'list'>
  readonly registries: Registries
  readonly events: EventRecorder
  readonly clock: Clock
  readonly log: Logger
}

interface Failures {
  readonly count: number
  readonly retryAt: number
}

const MAX_ATTEMPTS = 5
const FIRST_RETRY_MS = 2_000
/** A bundle that goes waits no longer for a registry that is silent. */
const DELETE_TIME_MS = 30_000

export function createArtifactKeeper(deps: ArtifactKeeperDeps): ArtifactKeeper {
  const { client, secrets, registries, clock, log } = deps
  const failures = new Map<string, Failures>() // by uid of the secret
  secrets.subscribe(({ type, object }) => {
    if (type === 'deleted') failures.delete(object.metadata.uid ?? '')
  })

  async function removeAll(bundle: Bundle, unused: readonly StoredSecret[], signal: AbortSignal): Promise<number> {
    const waits: number[] = []
    for (const secret of unused) waits.push(await remove(bundle, secret, signal))
    return Math.min(...waits.filter((ms) => ms > 0), Number.MAX_SAFE_INTEGER) % Number.MAX_SAFE_INTEGER
  }

  async function remove(bundle: Bundle, { metadata }: StoredSecret, signal: AbortSignal): Promise<number> {
    const uid = metadata.uid ?? ''
    const { count, retryAt } = failures.get(uid) ?? { count: 0, retryAt: 0 }
    if (count >= MAX_ATTEMPTS) return 0
    if (retryAt > clock.now()) return retryAt - clock.now()
    try {
      await removeOne(bundle, metadata.name, signal)
      failures.delete(uid)
      return 0
    } catch (error) {
      signal.throwIfAborted()
      const delayMs = FIRST_RETRY_MS * 2 ** count
      failures.set(uid, { count: count + 1, retryAt: clock.now() + delayMs })
      const isLast = count + 1 >= MAX_ATTEMPTS
      report(bundle, metadata.name, error, isLast)
      return isLast ? 0 : delayMs
    }
  }

  async function removeOne(bundle: Bundle, id: string, signal: AbortSignal): Promise<void> {
    const { namespace = '', uid = '' } = bundle.metadata
    const ref = { ...SECRET, name: id, namespace }
    const secret = await client.find<Secret>(ref, { signal })
    if (!secret?.metadata.uid || secret.metadata.deletionTimestamp || secret.type !== OCI_STORAGE_SECRET) return
    if (!owningBundles(secret).includes(uid)) return
    const patch = (changes: object, { metadata: { resourceVersion } }: Secret) =>
      client.patch<Secret>(ref, { metadata: { ...changes, resourceVersion } }, { type: 'merge', signal })
    if (owningBundles(secret).length > 1) {
      await patch({ ownerReferences: secret.metadata.ownerReferences?.filter((owner) => owner.uid !== uid) }, secret)
      return
    }
    const marked = await patch({ annotations: { [DELETING_ANNOTATION]: 'true' } }, secret)
    try {
      if (!(await isWantedAgain(bundle, id, signal))) {
        if (!(await isUsedElsewhere(marked, signal))) await deleteArtifact(marked, id, signal)
        await client.delete(ref, { uid: secret.metadata.uid, signal })
        log.info({ bundle: keyOf(bundle), artifact: id }, 'artifact deleted')
        return
      }
    } catch (error) {
      await unmark()
      throw error
    }
    await unmark()

    async function unmark(): Promise<void> {
      await patch({ annotations: { [DELETING_ANNOTATION]: null } }, marked)
    }
  }

  /** Nobody can begin to use an artifact that is marked, so what is read now holds. */
  async function isWantedAgain({ metadata: { name, namespace = '', uid } }: Bundle, id: string, signal: AbortSignal): Promise<boolean> {
    const others = deps.bundles.list(namespace).filter(({ metadata, spec }) => metadata.uid !== uid && spec.contentsId === id)
    if (others.length > 0) return true
    const newest = await client.find<Bundle>({ ...BUNDLE, name, namespace }, { signal })
    return newest?.metadata.uid === uid && !newest?.metadata.deletionTimestamp && newest?.spec.contentsId === id
  }

  /** Other workspaces may keep the same files in the same place. Copies in the namespaces of clusters do not count. */
  async function isUsedElsewhere(secret: Secret, signal: AbortSignal): Promise<boolean> {
    const { name, namespace } = secret.metadata
    const reference = referenceOf(secret.data)
    const fieldSelector = `type=${OCI_STORAGE_SECRET},metadata.name=${name}`
    const { items } = await client.list<Secret>(SECRET, { fieldSelector, signal })
    return items.some(({ metadata, data }) => {
      const isCopy = metadata.ownerReferences?.some(({ kind }) => kind === 'BundleDeployment') ?? false
      return metadata.namespace !== namespace && !isCopy && !isDeleting({ ...SECRET, metadata }) && referenceOf(data) === reference
    })
  }

  async function deleteArtifact({ metadata: { name, namespace }, data }: Secret, id: string, signal: AbortSignal): Promise<void> {
    const { reference, access } = parseOciStorage(data, `${namespace}/${name}`)
    const limited = AbortSignal.any([signal, AbortSignal.timeout(DELETE_TIME_MS)])
    await registries.repository(artifactRepository(reference, id), access).deleteManifest(ARTIFACT_TAG, limited)
  }

  function report(bundle: Bundle, id: string, error: unknown, isLast: boolean): void {
    const next = isLast ? 'it stays in the registry: delete it by hand' : 'it is tried again'
    const note = `failed to delete the artifact ${id} of the bundle: ${messageOf(error)} (${next})`
    deps.events.event(bundle, { type: 'Warning', reason: 'FailedToDeleteOCIArtifact', action: 'DeleteOCIArtifact', note })
    log.warn({ bundle: keyOf(bundle), artifact: id, err: error, isLast }, 'artifact could not be deleted')
  }

  function owned({ metadata: { uid = '' } }: Bundle): StoredSecret[] {
    return secrets.by(BY_BUNDLE_UID, uid).filter(({ metadata }) => !metadata.deletionTimestamp)
  }

  return {
    async tidy(bundle, deployments, signal) {
      const { stale, unused } = artifactsToDelete(bundle, deployments, owned(bundle))
      for (const { metadata } of stale) {
        const { name, namespace = '', uid } = metadata
        await client.delete({ ...SECRET, name, namespace }, { ...(uid ? { uid } : {}), signal })
      }
      return unused.length > 0 ? removeAll(bundle, unused, signal) : 0
    },
    async clear(bundle, signal) {
      const all = owned(bundle)
      return all.length > 0 ? removeAll(bundle, all, signal) : 0
    },
  }
}
