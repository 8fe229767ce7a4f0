// Writes a bundle and the secret with its values: the Bundle first, because the secret needs its uid (spec 6.5). Values that are gone are deleted before the Bundle
// stops asking for them: whatever happens in between, the Bundle still tells the next run that something is left to do.
import { isDeepStrictEqual } from 'node:util'
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { BUNDLE_VALUES_SECRET, COMMIT_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../lib/kube/errors.ts'
import type { KubeObject, ObjectRef, OwnerReference } from '../lib/kube/types.ts'
import { over, type WantedBundle, whyNotOurs } from './publish-plan.ts'

const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const

interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

/** A secret with values in a cache that keeps a hash in place of the data: the one that Bundles have in `spec.valuesHash`. */
export interface DigestedValues extends KubeObject {
  digest?: string
}

/** The cache of values secrets. */
export interface ValuesSecrets {
  get(name: string, namespace?: string): DigestedValues | undefined
}

export interface BundleStore {
  /** Creates or replaces a bundle, and brings its secret along. */
  write(one: WantedBundle, signal: AbortSignal): Promise<Bundle>
  /** Brings the secret of a bundle that is stored already to what it should be; no request when it is. */
  keepValues(one: WantedBundle, signal: AbortSignal): Promise<void>
}

export function createBundleStore(client: KubeClient, secrets: ValuesSecrets): BundleStore {
  async function write(one: WantedBundle, signal: AbortSignal): Promise<Bundle> {
    const { bundle, values } = one
    if (!values.hash) await dropValues(bundle, signal)
    const { name } = bundle.metadata
    const written = await explained(`the bundle ${name}`, () => (bundle.metadata.uid ? replace(one, signal) : create(one, signal)))
    if (values.hash)
      await explained(`the secret with the values of the bundle ${name}`, () => storeValues(written, values.data, values.hash, signal))
    return written
  }

  async function create({ bundle, ...rest }: WantedBundle, signal: AbortSignal): Promise<Bundle> {
    try {
      return await client.create(bundle, { signal })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      return replaceNewest({ bundle, ...rest }, signal) // the cache was behind
    }
  }

  async function replace(one: WantedBundle, signal: AbortSignal): Promise<Bundle> {
    try {
      return await client.update(one.bundle, { signal })
    } catch (error) {
      if (isConflict(error)) return replaceNewest(one, signal)
      if (!isNotFound(error)) throw error
      const { uid: _uid, resourceVersion: _version, finalizers: _finalizers, ...metadata } = one.bundle.metadata
      return client.create({ ...one.bundle, metadata }, { signal })
    }
  }

  /** Once: who loses the race again tries later, with a cache that has caught up. */
  async function replaceNewest({ bundle }: WantedBundle, signal: AbortSignal): Promise<Bundle> {
    const existing = await client.get<Bundle>(refOf(BUNDLE, bundle), { signal })
    const refusal = whyNotOurs(existing, bundle.metadata.labels?.[REPO_NAME_LABEL] ?? '')
    if (refusal) throw new TerminalError(refusal)
    if (existing.metadata.deletionTimestamp)
      throw new WaitingError(`waiting for the bundle ${bundle.metadata.name}, which is being deleted`, { retryAfterMs: 2000 })
    return client.update(over(existing, bundle), { signal })
  }

  async function dropValues(bundle: Bundle, signal: AbortSignal): Promise<void> {
    const secret = secrets.get(bundle.metadata.name, bundle.metadata.namespace)
    if (!secret) return
    const { uid } = secret.metadata
    await client.delete(refOf(SECRET, bundle), { ...(uid ? { uid } : {}), signal })
  }

  async function storeValues(bundle: Bundle, data: Readonly<Record<string, string>>, hash: string, signal: AbortSignal): Promise<void> {
    const cached = secrets.get(bundle.metadata.name, bundle.metadata.namespace)
    if (cached?.digest === hash && isOwned(cached, bundle) && isDeepStrictEqual(labelsOf(cached), labelsOf(bundle))) return
    const wanted = valuesSecret(bundle, data)
    if (cached) {
      await client.update({ ...wanted, metadata: { ...wanted.metadata, ...version(cached) } }, { signal })
      return
    }
    try {
      await client.create(wanted, { signal })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      await overwriteValues(wanted, signal)
    }
  }

  /** A secret that the cache does not have: it is younger than the cache, or it is of another type and belongs to somebody else. */
  async function overwriteValues(wanted: Secret, signal: AbortSignal): Promise<void> {
    const existing = await client.get<Secret>(refOf(SECRET, wanted), { signal })
    const { name, namespace } = wanted.metadata
    if (existing.type !== BUNDLE_VALUES_SECRET) {
      throw new TerminalError(
        `the secret ${namespace}/${name} belongs to somebody else, and the values of the bundle ${name} need its name: rename one of them`,
      )
    }
    await client.update({ ...wanted, metadata: { ...wanted.metadata, ...version(existing) } }, { signal })
  }

  return {
    write,
    async keepValues({ bundle, values }, signal) {
      if (values.hash) await storeValues(bundle, values.data, values.hash, signal)
      else await dropValues(bundle, signal)
    },
  }
}

function valuesSecret(bundle: Bundle, data: Readonly<Record<string, string>>): Secret {
  const { name, namespace } = bundle.metadata
  const labels = labelsOf(bundle)
  return {
    ...SECRET,
    type: BUNDLE_VALUES_SECRET,
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ownerReferences: [ownerOf(bundle)],
    },
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  }
}

/** A bundle's labels are those of its secret too, but for the commit: the secret is not written for each one. */
function labelsOf({ metadata }: KubeObject): Record<string, string> {
  const { [COMMIT_LABEL]: _commit, ...labels } = metadata.labels ?? {}
  return labels
}

function ownerOf({ metadata }: Bundle): OwnerReference {
  return { ...BUNDLE, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true }
}

function isOwned(secret: KubeObject, { metadata }: Bundle): boolean {
  return secret.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) ?? false
}

function version({ metadata: { uid, resourceVersion } }: KubeObject): { uid?: string; resourceVersion?: string } {
  return { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
}

function refOf(type: { apiVersion: string; kind: string }, { metadata: { name, namespace } }: KubeObject): ObjectRef {
  return { apiVersion: type.apiVersion, kind: type.kind, name, ...(namespace ? { namespace } : {}) }
}

/** What the API server will not take however often it is asked, is said to the user. */
async function explained<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 413 || /request (?:entity )?(?:is )?too large/i.test(error.message)) {
      throw new TerminalError(`${what} is larger than the API server takes: split the folder, or name what is not needed in .fleetignore`, {
        cause: error,
      })
    }
    if (error.status === 400 || error.status === 422) throw new TerminalError(`${what} is refused: ${error.message}`, { cause: error })
    throw error
  }
}
