import type { Cluster, ClusterSpec } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import { CLUSTER_LABEL, CLUSTER_MANAGEMENT_LABEL, CLUSTER_NAMESPACE_LABEL, MANAGED_LABEL } from '../api/labels.ts'
import { clusterNamespace } from '../api/names.ts'
import { errorCondition, setCondition, trueCondition } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { schedulingObjects } from './agent-scheduling.ts'
import { AGENT_SETTING_FIELDS, agentSettings } from './agent-state.ts'
import { connectionState } from './connection-state.ts'
import { BY_CLUSTER_NAME } from './informers.ts'
import { NAMESPACE } from './kinds.ts'
import { isLocalAgentDisabled } from './local-agent.ts'
import { refTo } from './object-set.ts'
import type { RegistrationDeps } from './settings.ts'

const REGISTRATION_MS = 2_000
const PARTS_CHECK_MS = 2_000

/** Gives clusters their namespace and says how far they have come (spec 2.4). */
export function createClusterController(deps: RegistrationDeps): Controller {
  const { client, clock, config, informers, statuses, workers, metrics } = deps
  const { clusters, namespaces, registrations } = informers

  async function reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { name, namespace } = parseKey(key)
    const cluster = clusters.get(name, namespace)
    if (!cluster) return undefined
    if (cluster.metadata.deletionTimestamp || cluster.metadata.labels?.[CLUSTER_MANAGEMENT_LABEL]) return undefined
    const latest = statuses.latest(cluster)
    await provideNamespace(latest)
    return describe(latest)
  }

  async function provideNamespace(cluster: Cluster): Promise<void> {
    const wanted = namespaceOf(cluster)
    const live = namespaces.get(wanted.metadata.name)
    if (!live) return createNamespace(wanted)
    if (live.metadata.deletionTimestamp)
      throw new WaitingError(`waits until namespace ${live.metadata.name} is deleted, to create it again`, { retryAfterMs: PARTS_CHECK_MS })
    const other = live.metadata.annotations?.[CLUSTER_LABEL]
    if (other && !isNamespaceOf(live, cluster))
      throw new TerminalError(`namespace ${live.metadata.name} belongs to another cluster, ${other}`)
    const { labels, annotations } = wanted.metadata
    if (includes(live.metadata.labels, labels) && includes(live.metadata.annotations, annotations)) return
    await client.patch(refTo(wanted), { metadata: { labels, annotations } }, { type: 'merge' })
  }

  async function createNamespace(namespace: KubeObject): Promise<void> {
    try {
      await client.create(namespace)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error // the cache lags: its event brings the cluster here again
    }
  }

  async function describe(cluster: Cluster): Promise<ReconcileResult | undefined> {
    const { metadata, spec, status } = cluster
    const hub = config.current()
    const now = clock.now()
    const connection = connectionState(
      cluster,
      {
        registrations: registrations.by(BY_CLUSTER_NAME, keyOf(cluster)),
        checkinInterval: hub?.agentCheckinInterval ?? '0s',
        agentDisabled: hub !== undefined && isLocalAgentDisabled(cluster, hub),
      },
      now,
    )
    // of a cluster that registers by itself the import has nothing to say
    const importsItself = !spec.kubeConfigSecret
    const updates = [
      trueCondition('Processed'),
      ...(importsItself ? [trueCondition('Imported'), errorCondition('Reconciled', problemOf(spec))] : []),
      connection.condition,
    ]
    const conditions = updates.reduce((list, update) => setCondition(list, update, now), status?.conditions ?? [])
    const next = {
      namespace: clusterNamespace(metadata.namespace ?? '', metadata.name),
      conditions,
      ...(importsItself ? agentSettings(spec) : {}),
    }
    const owned = ['namespace', 'conditions', ...(importsItself ? AGENT_SETTING_FIELDS : [])]
    await statuses.write(cluster, next, { owned })
    return connection.changesAt === undefined ? undefined : { requeueAfterMs: Math.max(connection.changesAt - now, 1) }
  }

  const controller = createController({ name: 'clusternamespace', workers, reconcile, clock, log: deps.log, metrics })
  controller.watch(clusters)
  controller.watch(namespaces, ({ object: { metadata } }) => {
    const name = metadata.annotations?.[CLUSTER_LABEL]
    const namespace = metadata.annotations?.[CLUSTER_NAMESPACE_LABEL]
    return name && namespace ? [`${namespace}/${name}`] : []
  })
  const ofRegistration = ({ object: { metadata, status } }: InformerEvent<ClusterRegistration>): string[] =>
    status?.clusterName ? [`${metadata.namespace}/${status.clusterName}`] : []
  // most are granted at once: one word about that is enough
  controller.watch(registrations, ofRegistration, { debounceMs: REGISTRATION_MS })
  config.onChange(() => {
    for (const cluster of clusters.list()) controller.enqueue(keyOf(cluster))
  })
  return controller
}

/** What keeps the agent's objects from being rendered; undefined if nothing does. */
function problemOf(spec: ClusterSpec): unknown {
  try {
    schedulingObjects(spec, '')
    return undefined
  } catch (error) {
    return error
  }
}

/** The namespace of a cluster's deployments. */
function namespaceOf({ metadata: { name, namespace = '' } }: Cluster): KubeObject {
  return {
    ...NAMESPACE,
    metadata: {
      name: clusterNamespace(namespace, name),
      labels: { [MANAGED_LABEL]: 'true' },
      annotations: { [CLUSTER_LABEL]: name, [CLUSTER_NAMESPACE_LABEL]: namespace },
    },
  }
}

function isNamespaceOf({ metadata }: KubeObject, cluster: Cluster): boolean {
  return includes(metadata.annotations, namespaceOf(cluster).metadata.annotations)
}

function includes(all: Readonly<Record<string, string>> = {}, some: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(some).every(([key, value]) => all[key] === value)
}
