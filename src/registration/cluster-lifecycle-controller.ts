// The beginning and the end of a Cluster object (spec 2.6): a finalizer while it lives; its namespace and the bundle of its agent go with it.
import type { Bundle } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER } from '../api/kinds.ts'
import { CLUSTER_FINALIZER, CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import { agentBundleName } from '../api/names.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { InformerFactory, InformerOptions } from '../lib/kube/informer.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { NAMESPACE } from './kinds.ts'

export interface ClusterLifecycleDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  /** The cache of bundles that others of this process use too. */
  readonly bundles: InformerOptions<Bundle>
  readonly log: Logger
  readonly clock: Clock
  readonly workers: number
  readonly metrics?: ControllerMetrics | undefined
  /** Whether the cluster is of our shard. */
  readonly handles: (object: KubeObject) => boolean
}

const PARTS_CHECK_MS = 2_000
/** A namespace that never goes must not keep its cluster for ever; what is left of it then goes by itself. */
const PARTS_PATIENCE_MS = 30_000
const BY_CLUSTER = 'registration/namespace-of'

/** Holds Cluster objects until their parts are gone. */
export function createClusterLifecycleController(deps: ClusterLifecycleDeps): Controller {
  const { client, informers, clock, workers, metrics, handles } = deps
  const log = deps.log.child({ controller: 'clusterlifecycle' })
  const clusters = informers.informer<Cluster>({ type: CLUSTER })
  const bundles = informers.informer<Bundle>(deps.bundles)
  const namespaces = informers.informer<KubeObject>({ type: NAMESPACE, metadataOnly: true, indexes: { [BY_CLUSTER]: clusterKeys } })

  async function reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { name, namespace } = parseKey(key)
    const cluster = clusters.get(name, namespace)
    if (!cluster || !handles(cluster)) return undefined
    if (cluster.metadata.deletionTimestamp) return finalize(key, cluster)
    const patch = tidied(cluster)
    if (patch) await client.patch(refOf(cluster), patch, { type: 'merge' })
    return undefined
  }

  async function finalize(key: string, cluster: Cluster): Promise<ReconcileResult | undefined> {
    const { finalizers = [], resourceVersion, deletionTimestamp, name, namespace } = cluster.metadata
    if (!finalizers.includes(CLUSTER_FINALIZER)) return undefined
    const bundle = bundles.get(agentBundleName(name), namespace)
    // by what the namespaces say of themselves: agents may write the status of their cluster
    const left: KubeObject[] = [...(bundle ? [bundle] : []), ...namespaces.by(BY_CLUSTER, key).map((live) => ({ ...live, ...NAMESPACE }))]
    for (const part of left.filter(({ metadata }) => !metadata.deletionTimestamp)) {
      await client.delete(refOf(part), part.metadata.uid ? { uid: part.metadata.uid } : {})
    }
    if (left.length > 0 && clock.now() < Date.parse(deletionTimestamp ?? '') + PARTS_PATIENCE_MS) return { requeueAfterMs: PARTS_CHECK_MS }
    const patch = { metadata: { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== CLUSTER_FINALIZER) } }
    await client.patch(refOf(cluster), patch, { type: 'merge' })
    log.info({ cluster: key, left: left.length }, 'cluster deleted')
    return undefined
  }

  const controller = createController({ name: 'clusterlifecycle', workers, reconcile, clock, log, metrics })
  controller.watch(clusters)
  controller.watch(namespaces, ({ type, object }) => (type === 'deleted' ? clusterKeys(object) : []))
  return controller
}

/** What has to be changed on a living cluster: the finalizer is added, and an empty `agentSchedulingCustomization` taken out. */
function tidied({ metadata, spec }: Cluster): object | undefined {
  const { finalizers = [], resourceVersion } = metadata
  const custom = spec?.agentSchedulingCustomization
  const isEmpty = custom !== undefined && custom !== null && Object.keys(custom).length === 0
  const isHeld = finalizers.includes(CLUSTER_FINALIZER)
  if (isHeld && !isEmpty) return undefined
  return {
    metadata: { resourceVersion, ...(isHeld ? {} : { finalizers: [...finalizers, CLUSTER_FINALIZER] }) },
    ...(isEmpty ? { spec: { agentSchedulingCustomization: null } } : {}),
  }
}

/** The key of the cluster whose namespace this is; none for other namespaces. */
function clusterKeys({ metadata: { annotations } }: KubeObject): string[] {
  const [name, namespace] = [annotations?.[CLUSTER_LABEL], annotations?.[CLUSTER_NAMESPACE_LABEL]]
  return name && namespace ? [keyOf({ name, namespace })] : []
}
