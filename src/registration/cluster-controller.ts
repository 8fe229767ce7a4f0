import type { Cluster, ClusterSpec } from '../api/cluster.ts'
import { CLUSTER_LABEL, CLUSTER_MANAGEMENT_LABEL, CLUSTER_NAMESPACE_LABEL, MANAGED_LABEL } from '../api/labels.ts'
import { clusterNamespace } from '../api/names.ts'
import { errorCondition, setCondition, trueCondition } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { schedulingObjects } from './agent-scheduling.ts'
import { AGENT_SETTING_FIELDS, recordedSettings } from './agent-state.ts'
import { rivalOf, rivalsAt } from './client-id.ts'
import { connectionState } from './connection-state.ts'
import { failedCondition } from './failed-condition.ts'
import { clustersOfRegistration, registrationsOf } from './informers.ts'
import { NAMESPACE } from './kinds.ts'
import { isLocalAgentDisabled } from './local-agent.ts'
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
    try {
      await provideNamespace(latest)
    } catch (error) {
      await report(latest, error)
      throw error
    }
    return describe(latest)
  }

  /** Only of a cluster that has no namespace yet: later this condition is the word of whoever sums up its deployments. */
  async function report(cluster: Cluster, error: unknown): Promise<void> {
    const failed = cluster.status?.namespace ? undefined : failedCondition('Processed', cluster, error, clock.now())
    if (failed)
      await statuses.write(
        cluster,
        { conditions: setCondition(cluster.status?.conditions, failed, clock.now()) },
        { owned: ['conditions'] },
      )
  }

  async function provideNamespace(cluster: Cluster): Promise<void> {
    const wanted = namespaceOf(cluster)
    const live = namespaces.get(wanted.metadata.name)
    if (!live) return createNamespace(wanted)
    if (live.metadata.deletionTimestamp)
      throw new WaitingError(`waits until namespace ${live.metadata.name} is deleted, to create it again`, { retryAfterMs: PARTS_CHECK_MS })
    const other = live.metadata.annotations?.[CLUSTER_LABEL]
    if (other && !isNamespaceOf(live, cluster))
      throw new TerminalError(
        `namespace ${live.metadata.name} belongs to another cluster, ${other}: delete the namespace, or give this cluster another name`,
      )
    const { labels, annotations } = wanted.metadata
    if (includes(live.metadata.labels, labels) && includes(live.metadata.annotations, annotations)) return
    await client.patch(refOf(wanted), { metadata: { labels, annotations } }, { type: 'merge' })
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
        registrations: registrationsOf(informers, cluster),
        rival: rivalOf(clusters, cluster),
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
      ...(importsItself ? recordedSettings(cluster) : {}),
    }
    const owned = ['namespace', 'conditions', ...(importsItself ? ['agentConfigChanged', ...AGENT_SETTING_FIELDS] : [])]
    await statuses.write(cluster, next, { owned })
    return connection.changesAt === undefined ? undefined : { requeueAfterMs: Math.max(connection.changesAt - now, 1) }
  }

  const controller = createController({ name: 'clusternamespace', workers, reconcile, clock, log: deps.log, metrics })
  controller.watch(clusters)
  controller.watch(clusters, (event) => rivalsAt(clusters, event))
  controller.watch(namespaces, ({ object: { metadata } }) => {
    const name = metadata.annotations?.[CLUSTER_LABEL]
    const namespace = metadata.annotations?.[CLUSTER_NAMESPACE_LABEL]
    return name && namespace ? [`${namespace}/${name}`] : []
  })
  // most are granted at once: one word about that is enough
  controller.watch(registrations, ({ object }) => clustersOfRegistration(informers, object), { debounceMs: REGISTRATION_MS })
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
