import type { Bundle } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER_MANAGEMENT_LABEL, SET_ID_ANNOTATION } from '../api/labels.ts'
import { agentBundleName } from '../api/names.ts'
import type { HubConfig } from '../config/hub-config.ts'
import { type Controller, createController } from '../lib/controller/controller.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { isSame } from '../lib/controller/status.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import { AGENT_BUNDLE_SET, agentBundle } from './agent-bundle.ts'
import { NAMESPACE } from './kinds.ts'
import { isLocalAgentDisabled } from './local-agent.ts'
import { carryOut, changesAnything, planSet } from './object-set.ts'
import type { RegistrationDeps } from './settings.ts'

/** Keeps for each cluster the bundle with its agent; the bundles of a namespace are one set that the namespace owns (spec 3.8). */
export function createAgentBundleController(deps: RegistrationDeps): Controller {
  const { client, clock, config, informers, settings, workers, metrics } = deps
  const { clusters, namespaces, agentBundles } = informers
  const log = deps.log.child({ controller: 'manageagent' })

  async function reconcile(key: string): Promise<undefined> {
    const { name, namespace = '' } = parseKey(key)
    const hub = config.current()
    if (!hub) throw new WaitingError('waits for a configuration that can be read: see ConfigMap fleet-controller')
    const owner = namespaces.get(namespace)
    if (!hub.manageAgent || !owner || owner.metadata.deletionTimestamp) return undefined
    const wanted = wantedBundle(clusters.get(name, namespace), hub)
    const live = agentBundles.get(agentBundleName(name), namespace)
    const ours = live?.metadata.annotations?.[SET_ID_ANNOTATION] === AGENT_BUNDLE_SET
    const set = { id: AGENT_BUNDLE_SET, owner: { ...NAMESPACE, metadata: owner.metadata } }
    const plan = planSet(set, wanted ? [wanted] : [], { find: () => live, members: live && ours && !wanted ? [live] : [] })
    if (!changesAnything(plan) && plan.leaving.length === 0) return undefined
    await carryOut(client, plan)
    log.info({ cluster: key, bundle: agentBundleName(name), removed: !wanted }, 'agent bundle brought up to date')
    return undefined
  }

  function wantedBundle(cluster: Cluster | undefined, hub: HubConfig): Bundle | undefined {
    if (!cluster || cluster.metadata.deletionTimestamp || cluster.metadata.labels?.[CLUSTER_MANAGEMENT_LABEL]) return undefined
    if (isLocalAgentDisabled(cluster, hub)) return undefined
    return agentBundle(cluster, { config: hub, process: settings.agent, systemNamespace: settings.systemNamespace })
  }

  const controller = createController({ name: 'manageagent', workers, reconcile, clock, log: deps.log, metrics })
  controller.watch(clusters, (event) => (changesAgent(event) ? [keyOf(event.object)] : []))
  controller.watch(agentBundles, (event) =>
    event.type === 'modified' && isSame(event.old?.spec, event.object.spec) ? [] : clustersOf(event.object),
  )
  controller.watch(namespaces, ({ type, object }) => (type === 'added' ? clusters.list(object.metadata.name).map(keyOf) : []))
  config.onChange(() => {
    for (const cluster of clusters.list()) controller.enqueue(keyOf(cluster))
  })
  return controller
}

/** Agents report every few minutes: that changes nothing here. */
function changesAgent({ type, object, old }: InformerEvent<Cluster>): boolean {
  if (type !== 'modified' || !old) return true
  const label = (cluster: Cluster): string => cluster.metadata.labels?.[CLUSTER_MANAGEMENT_LABEL] ?? ''
  return (
    old.metadata.generation !== object.metadata.generation ||
    label(old) !== label(object) ||
    old.metadata.deletionTimestamp !== object.metadata.deletionTimestamp
  )
}

function clustersOf({ metadata, spec }: Bundle): string[] {
  if (metadata.annotations?.[SET_ID_ANNOTATION] !== AGENT_BUNDLE_SET) return []
  return (spec.targets ?? []).flatMap(({ clusterName }) => (clusterName ? [`${metadata.namespace}/${clusterName}`] : []))
}
