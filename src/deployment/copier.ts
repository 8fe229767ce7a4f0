// Carries out the copying of secrets and config maps into the namespaces of clusters. Its caches are filled only once somebody asks for copies.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer, InformerFactory } from '../lib/kube/informer.ts'
import type { OwnerReference } from '../lib/kube/types.ts'
import {
  BY_OWNER,
  CONFIG_MAP,
  type Copyable,
  type CopyRequest,
  copiedData,
  copiedMetadata,
  copyableConfigMaps,
  copyableSecrets,
  digestCopyable,
  owningDeployments,
  typeOf,
} from './copied-objects.ts'
import { createNewest, type Newest } from './newest.ts'
import type { CopyCaches, CopyPlan, CopyWrite } from './plan-copies.ts'
import { SECRET } from './secrets.ts'

export interface Copier {
  /** Resolves when the caches are filled. */
  ready(signal: AbortSignal): Promise<void>
  /** Not before `ready`. */
  caches(isOfSameWorkspace: CopyCaches['isOfSameWorkspace']): CopyCaches
  /** For one round: each source is read once, however many clusters get a copy. */
  session(workspace: string): CopySession
}

export interface CopySession {
  /** Makes the copies of a plan; the deployment has to exist. */
  write(deployment: BundleDeployment, plan: CopyPlan): Promise<void>
}

export interface CopierDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly clock: Clock
  /** Told once, when the caches are made. */
  readonly onStart: (informer: Informer<Copyable>) => void
}

type Stores = Record<CopyRequest['kind'], { informer: Informer<Copyable>; newest: Newest<Copyable> }>

type Read = (kind: CopyRequest['kind'], name: string) => Promise<Copyable | undefined>

const TYPES = { Secret: SECRET, ConfigMap: CONFIG_MAP }

export function createCopier({ client, informers, clock, onStart }: CopierDeps): Copier {
  let started: Stores | undefined

  function stores(): Stores {
    if (started) return started
    const [secrets, configMaps] = [copyableSecrets, copyableConfigMaps].map((options) => informers.informer(options)) as [
      Informer<Copyable>,
      Informer<Copyable>,
    ]
    started = {
      Secret: { informer: secrets, newest: createNewest(secrets, clock) },
      ConfigMap: { informer: configMaps, newest: createNewest(configMaps, clock) },
    }
    for (const informer of [secrets, configMaps]) onStart(informer)
    return started
  }

  async function writeCopy(deployment: BundleDeployment, { request, existing, replaces }: CopyWrite, read: Read): Promise<void> {
    const { kind, name } = request
    const source = await read(kind, name)
    if (!source) return // its deletion is an event of its own
    const { newest } = stores()[kind]
    const ref = { ...TYPES[kind], name, namespace: deployment.metadata.namespace ?? '' }
    if (existing && replaces) {
      await client.delete(ref, existing.metadata.uid ? { uid: existing.metadata.uid } : {})
      newest.deleted(existing)
    }
    const owners = withOwner(existing?.metadata.ownerReferences, deployment)
    const written =
      existing && !replaces
        ? await client.update<Copyable>(updateOf(existing, source, request, owners))
        : await client.create<Copyable>(copyOf(ref, source, request, owners))
    newest.wrote(digestCopyable(written))
  }

  async function drop(deployment: BundleDeployment, leftover: Copyable): Promise<void> {
    const { name, namespace = '', uid, ownerReferences = [] } = leftover.metadata
    const kind = leftover.kind === 'Secret' ? 'Secret' : 'ConfigMap'
    const ref = { ...TYPES[kind], name, namespace }
    const { newest } = stores()[kind]
    if (owningDeployments(leftover).length > 1) {
      const rest = ownerReferences.filter((owner) => owner.uid !== deployment.metadata.uid)
      newest.wrote(digestCopyable(await client.patch<Copyable>(ref, { metadata: { ownerReferences: rest } }, { type: 'merge' })))
      return
    }
    await client.delete(ref, uid ? { uid } : {})
    newest.deleted(leftover)
  }

  return {
    async ready(signal) {
      await Promise.all(Object.values(stores()).map(({ informer }) => informer.waitSynced(signal)))
    },
    caches: (isOfSameWorkspace) => ({
      isOfSameWorkspace,
      find: (kind, name, namespace) => present(stores()[kind].newest.get(name, namespace)),
      ownedBy: (uid) =>
        Object.values(stores())
          .flatMap(({ informer, newest }) => informer.by(BY_OWNER, uid).map(newest.of))
          .filter((object) => present(object) && owningDeployments(object).includes(uid)),
    }),
    session(workspace) {
      const known = new Map<string, Promise<Copyable | undefined>>()
      const read: Read = (kind, name) => {
        const source = known.get(`${kind}/${name}`) ?? client.find<Copyable>({ ...TYPES[kind], name, namespace: workspace })
        known.set(`${kind}/${name}`, source)
        return source
      }
      return {
        async write(deployment, { writes, leftovers }) {
          for (const write of writes) await writeCopy(deployment, write, read)
          for (const leftover of leftovers) await drop(deployment, leftover)
        },
      }
    },
  }
}

function present(object: Copyable | undefined): Copyable | undefined {
  return object?.metadata.deletionTimestamp ? undefined : object
}

/** Several deployments may share a copy; only the first is its controller. */
function withOwner(
  owners: readonly OwnerReference[] = [],
  { apiVersion, kind, metadata: { name, uid = '' } }: BundleDeployment,
): OwnerReference[] {
  if (owners.some((owner) => owner.uid === uid)) return [...owners]
  const controller = !owners.some((owner) => owner.controller)
  return [...owners, { apiVersion, kind, name, uid, controller, blockOwnerDeletion: true }]
}

function copyOf(
  ref: { apiVersion: string; kind: string; name: string; namespace: string },
  source: Copyable,
  request: CopyRequest,
  ownerReferences: OwnerReference[],
): Copyable {
  const { apiVersion, kind, name, namespace } = ref
  const { labels, annotations } = copiedMetadata(source, request)
  const type = typeOf(source, request)
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels, annotations, ownerReferences },
    ...(type ? { type } : {}),
    ...copiedData(source),
  }
}

/** Replaces the data as a whole: the cache does not know the keys that have to go. */
function updateOf(
  { digest: _, ...existing }: Copyable,
  source: Copyable,
  request: CopyRequest,
  ownerReferences: OwnerReference[],
): Copyable {
  const { data: _data, binaryData: _binaryData, ...rest } = existing
  const { labels, annotations } = copiedMetadata(source, request)
  return {
    ...rest,
    metadata: {
      ...existing.metadata,
      labels: { ...existing.metadata.labels, ...labels },
      annotations: { ...existing.metadata.annotations, ...annotations },
      ownerReferences,
    },
    ...copiedData(source),
  }
}
