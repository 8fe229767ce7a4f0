// Helm's release Secrets in the cluster: a cache of what exists, and reads of what is in it.
import { safeConcatName } from '../../api/names.ts'
import {
  type ApplyMethod,
  decodeRelease,
  encodeRelease,
  type HelmRelease,
  RELEASE_SELECTOR,
  type ReleaseSecret,
  type ReleaseState,
  releaseSecretName,
} from '../../lib/helm/release.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { Informer } from '../../lib/kube/informer.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import type { ReleaseOwner, ReleaseRef, ReleaseStatus, RevisionRef, RevisionSummary } from './engine.ts'
import { ownerOf } from './static-chart.ts'

const SECRET = { apiVersion: 'v1', kind: 'Secret' }
/** Label of a release Secret that names the version it was made for. */
const DEPLOYMENT_LABEL = 'fleet.cattle.io/deployment'
/** Label of a release Secret with the bundle id, shortened if need be: saves reading the releases of others. */
const BUNDLE_ID_LABEL = 'fleet.cattle.io/bundle-id'
/** Index of the cache by release. */
const BY_RELEASE = 'release'

/** What the cache of release Secrets is asked with: metadata of all of them, found by release. */
export const releaseSecrets = {
  type: SECRET,
  labelSelector: RELEASE_SELECTOR,
  metadataOnly: true,
  indexes: {
    [BY_RELEASE]: (secret: KubeObject) => [
      indexKey({ namespace: secret.metadata.namespace ?? '', name: secret.metadata.labels?.name ?? '' }),
    ],
  },
} as const

/** Labels that tell what a release was made for. */
export function releaseLabels(bundleId: string, deployment: string): Record<string, string> {
  return { [BUNDLE_ID_LABEL]: safeConcatName(bundleId), [DEPLOYMENT_LABEL]: deployment }
}

/** A revision with the Secret that holds it. */
export interface Stored {
  readonly secret: ReleaseSecret
  readonly release: HelmRelease
}

/** Labels of a record that helm gives to every one of them. */
const SYSTEM_LABELS = ['name', 'owner', 'status', 'version', 'createdAt', 'modifiedAt']

/** The labels of a record that are not helm's own: a revision made from it has them, too. */
export function customLabels({ metadata }: ReleaseSecret): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([key]) => !SYSTEM_LABELS.includes(key)))
}

export interface ReleaseStore {
  /** All revisions in the cache, oldest first. */
  history(release: ReleaseRef): RevisionSummary[]
  /** The newest revision of every release in the cache. */
  newest(): RevisionSummary[]
  /** The newest revision, asked from the cluster. */
  status(release: ReleaseRef): Promise<ReleaseStatus | undefined>
  /** All revisions, asked from the cluster, oldest first. */
  revisions(release: ReleaseRef): Promise<RevisionSummary[]>
  /** Undefined when it does not exist. */
  read(revision: RevisionRef): Promise<HelmRelease | undefined>
  /** The same with its Secret. */
  load(revision: RevisionRef): Promise<Stored | undefined>
  /** Whether the revision exists; the cluster is asked only when the cache does not know it. */
  exists(revision: RevisionRef): Promise<boolean>
  /** Who deployed a release; read once for each revision. */
  owner(revision: RevisionRef): Promise<ReleaseOwner | undefined>
  /** The bundle id as the label of the revision has it, without a request; undefined when nobody labelled it. */
  label(revision: RevisionRef): string | undefined
  /** Replaces a stored revision. */
  write(release: HelmRelease): Promise<void>
  remove(revision: RevisionRef): Promise<void>
}

/** Owners that are remembered. */
const MAX_OWNERS = 10_000

/** Reads and writes go out with the agent's own rights: a release must be found whatever account deployed it. */
export function createReleaseStore(client: KubeClient, informer: Informer<KubeObject>): ReleaseStore {
  const owners = new Map<string, ReleaseOwner | undefined>() // by uid of the Secret: a revision never changes hands

  async function readSecret(revision: RevisionRef): Promise<ReleaseSecret | undefined> {
    const secret = await client.find<ReleaseSecret>(secretRef(revision))
    return secret?.data?.release ? secret : undefined
  }

  async function load(revision: RevisionRef): Promise<Stored | undefined> {
    const secret = await readSecret(revision)
    return secret && { secret, release: decodeRelease(secret) }
  }

  const read = async (revision: RevisionRef): Promise<HelmRelease | undefined> => (await load(revision))?.release

  async function revisions({ namespace, name }: ReleaseRef): Promise<RevisionSummary[]> {
    const { items } = await client.list<KubeObject>(SECRET, {
      namespace,
      labelSelector: `${RELEASE_SELECTOR},name=${name}`,
      metadataOnly: true,
    })
    return sorted(items.map(summaryOf))
  }

  async function status(release: ReleaseRef): Promise<ReleaseStatus | undefined> {
    const last = (await revisions(release)).at(-1)
    if (!last) return undefined
    const secret = await readSecret(last)
    if (!secret) return undefined
    const stored = decodeRelease(secret)
    const owner = ownerOf(stored.chart?.metadata)
    return {
      ...last,
      state: stored.info.status,
      owner,
      applyMethod: methodOf(stored),
      deployment: secret.metadata.labels?.[DEPLOYMENT_LABEL],
    }
  }

  async function owner(revision: RevisionRef): Promise<ReleaseOwner | undefined> {
    const { name } = secretRef(revision)
    const uid = informer.get(name, revision.namespace)?.metadata.uid
    if (uid !== undefined && owners.has(uid)) return owners.get(uid)
    const secret = await readSecret(revision)
    const found = secret && recordedOwner(secret)
    if (uid === undefined) return found
    if (owners.size >= MAX_OWNERS) owners.clear()
    owners.set(uid, found)
    return found
  }

  return {
    history: (release) => sorted(informer.by(BY_RELEASE, indexKey(release)).map(summaryOf)),
    newest: () => newestOf(informer.list().map(summaryOf)),
    status,
    revisions,
    read,
    load,
    exists: async (revision) =>
      informer.get(secretRef(revision).name, revision.namespace) !== undefined || (await client.find(secretRef(revision))) !== undefined,
    owner,
    label: (revision) => informer.get(secretRef(revision).name, revision.namespace)?.metadata.labels?.[BUNDLE_ID_LABEL],
    async write(release) {
      const patch = { metadata: { labels: { status: release.info.status } }, data: { release: encodeRelease(release) } }
      await client.patch(secretRef(release), patch, { type: 'merge' })
    },
    remove: async (revision) => void (await client.delete(secretRef(revision))),
  }
}

/** The Secret of a revision. */
export function secretRef({ namespace, name, version }: RevisionRef): ObjectRef {
  return { ...SECRET, namespace, name: releaseSecretName(name, version) }
}

function indexKey({ namespace, name }: ReleaseRef): string {
  return `${namespace}/${name}`
}

function summaryOf({ metadata }: KubeObject): RevisionSummary {
  const labels = metadata.labels ?? {}
  const state = (labels.status ?? 'unknown') as ReleaseState
  return { namespace: metadata.namespace ?? '', name: labels.name ?? '', version: Number(labels.version ?? 0), state }
}

function sorted(list: RevisionSummary[]): RevisionSummary[] {
  return list.sort((a, b) => a.version - b.version)
}

function newestOf(list: readonly RevisionSummary[]): RevisionSummary[] {
  const newest = new Map<string, RevisionSummary>()
  for (const revision of list) {
    const known = newest.get(indexKey(revision))
    if (!known || known.version < revision.version) newest.set(indexKey(revision), revision)
  }
  return [...newest.values()]
}

/** A record that cannot be read is none of ours, and must not keep us from those that are. */
function recordedOwner(secret: ReleaseSecret): ReleaseOwner | undefined {
  try {
    return ownerOf(decodeRelease(secret).chart?.metadata)
  } catch {
    return undefined
  }
}

function methodOf(release: HelmRelease): ApplyMethod {
  return release.apply_method === 'ssa' ? 'ssa' : 'csa'
}
