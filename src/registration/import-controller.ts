import { caHash } from '../api/agent-hashes.ts'
import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import { CLUSTER_MANAGEMENT_LABEL } from '../api/labels.ts'
import { importTokenName } from '../api/names.ts'
import { randomToken } from '../api/random-token.ts'
import type { HubConfig } from '../config/hub-config.ts'
import { type ConditionUpdate, errorCondition, setCondition, trueCondition } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { isConflict } from '../lib/kube/errors.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import { refOf } from '../lib/kube/paths.ts'
import { agentNamespace, agentPullSecrets } from './agent-objects.ts'
import { AGENT_SETTING_FIELDS, agentSettings, changedSettings, isInstalled } from './agent-state.ts'
import { changeStatus, type StatusChange } from './change-status.ts'
import { checkClientID, rivalsAt } from './client-id.ts'
import { checkTlsMode, installError, openDownstream } from './downstream.ts'
import { checkSecretNamespace, type HubAddress, hubAddress, importReason } from './import-plan.ts'
import { importValues } from './import-token.ts'
import { BY_KUBECONFIG_SECRET, clustersOfRegistration, kubeconfigSecretKey, registrationsOf } from './informers.ts'
import { agentSetId, installAgent } from './install-agent.ts'
import { SECRET, type Secret, secretText } from './kinds.ts'
import { createKubeconfigSecrets, factsOf } from './kubeconfig-secret.ts'
import { isLocalAgentDisabled } from './local-agent.ts'
import { removeLocalAgent } from './remove-local-agent.ts'
import type { RegistrationDeps } from './settings.ts'

/** A cluster that cannot be reached is asked less and less often, at last every ten minutes (spec 0.4). */
const BACKOFF = { baseMs: 2_000, maxMs: 600_000 }
/** Limit of one import: a cluster that answers slowly must not keep a worker. */
const IMPORT_MS = 180_000
const REGISTRATION_GONE_MS = 2_000
/** Who waits longer than this is told for what. */
const SAY_AFTER_MS = 10_000

const DEPLOYED = [
  'conditions',
  'agentDeployedGeneration',
  'agentMigrated',
  'agentNamespaceMigrated',
  'cattleNamespaceMigrated',
  'agent',
  'agentConfigChanged',
  'apiServerURL',
  'apiServerCAHash',
  'agentTLSMode',
  'garbageCollectionInterval',
  ...AGENT_SETTING_FIELDS,
]

/** Installs agents in clusters that have a kubeconfig secret, and again when something about them changes (spec 3.2). */
export function createImportController(deps: RegistrationDeps): Controller {
  const { client, clock, config, informers, settings, workers, metrics, events } = deps
  const { clusters, secretNames, tokens, registrations } = informers
  const log = deps.log.child({ controller: 'import' })
  const secrets = createKubeconfigSecrets(client, informers)
  const waitsSince = new Map<string, number>() // by key of the cluster, only while it waits

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { name, namespace } = parseKey(key)
    const cluster = clusters.get(name, namespace)
    // the namespace comes first, by another controller; both at once would only stand in each other's way
    if (!cluster?.status?.namespace || !concernsImport(cluster)) {
      waitsSince.delete(key)
      return undefined
    }
    try {
      await bringUpToDate(cluster, signal)
      waitsSince.delete(key)
    } catch (error) {
      await report(cluster, error)
      throw error
    }
    return undefined
  }

  async function bringUpToDate(cached: Cluster, signal: AbortSignal): Promise<void> {
    const hub = config.current()
    if (!hub) throw new WaitingError('waits for a configuration that can be read: see ConfigMap fleet-controller')
    if (isLocalAgentDisabled(cached, hub)) {
      await removeLocalAgent(deps, secrets, cached)
      return done(cached)
    }
    const known = deps.statuses.latest(cached)
    if (!(await reasonFor(known, hub))) return done(known)
    // an import cuts the agent off: never because of a cache that lags behind the last one
    const cluster = await client.find<Cluster>(refOf(known))
    if (!cluster || !concernsImport(cluster)) return
    const reason = await reasonFor(cluster, hub)
    if (!reason) return done(cluster)
    checkSecretNamespace(cluster)
    checkClientID(clusters, cluster)
    await importAgent(await markChanged(await identified(cluster)), hub, { reason, signal })
  }

  async function reasonFor(cluster: Cluster, hub: HubConfig): Promise<string | undefined> {
    const facts = await secrets.facts(cluster)
    return importReason(cluster, {
      config: hub,
      address: facts && hubAddress(facts, hub),
      systemNamespace: settings.systemNamespace,
      isRegistered: registrationsOf(informers, cluster).length > 0,
      hasToken: tokens.get(importTokenName(cluster.metadata.name), cluster.metadata.namespace) !== undefined,
    })
  }

  async function identified(cluster: Cluster): Promise<Cluster> {
    if (cluster.spec.clientID) return cluster
    const { resourceVersion } = cluster.metadata
    const patch = { metadata: { resourceVersion }, spec: { clientID: randomToken(deps.randomBytes) } }
    return client.patch<Cluster>(refOf(cluster), patch, { type: 'merge' })
  }

  /** Of an agent that is installed it is said first that it must be installed again: that is not forgotten then. */
  async function markChanged(cluster: Cluster): Promise<Cluster> {
    if (!isInstalled(cluster) || (cluster.status?.agentConfigChanged && changedSettings(cluster).length === 0)) return cluster
    return change(cluster, ({ spec, status = {} }) => ({ ...status, ...agentSettings(spec), agentConfigChanged: true }))
  }

  async function importAgent(
    cluster: Cluster,
    hub: HubConfig,
    { reason, signal }: { readonly reason: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const secret = await secrets.read(cluster)
    const address = hubAddress(factsOf(secret), hub)
    if (!address.apiServerURL) return withoutAddress(cluster)
    checkTlsMode(hub.agentTLSMode)
    const values = await importValues(deps, cluster)
    const pullSecrets = await readPullSecrets(cluster, hub)
    const started = clock.now()
    const downstream = await openDownstream(secretText(secret, 'value'), hub.agentTLSMode, clock)
    const giveUp = (): void => void downstream.close()
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      const { systemNamespace, agent: process } = settings
      await installAgent(downstream.client, { cluster, config: hub, address, values, pullSecrets, systemNamespace, process })
    } catch (error) {
      throw installError(error)
    } finally {
      signal.removeEventListener('abort', giveUp)
      await downstream.close()
    }
    await change(cluster, (newest) => installed(newest, { imported: cluster, hub, address }))
    const note = `agent installed in namespace ${agentNamespace({ spec: cluster.spec, systemNamespace: settings.systemNamespace })}: ${reason}`
    events.event(cluster, { type: 'Normal', reason: 'AgentInstalled', action: 'ImportCluster', note })
    log.info({ cluster: keyOf(cluster), because: reason, set: agentSetId(cluster), durationMs: clock.now() - started }, 'agent installed')
  }

  function installed(
    { status = {} }: Cluster,
    { imported, hub, address }: { imported: Cluster; hub: HubConfig; address: HubAddress },
  ): ClusterStatus {
    const { spec } = imported
    return {
      ...status,
      ...agentSettings(spec),
      conditions: conditions(status, [trueCondition('Imported'), trueCondition('Reconciled')]),
      agentDeployedGeneration: spec.redeployAgentGeneration ?? 0,
      agentMigrated: true,
      agentNamespaceMigrated: true,
      cattleNamespaceMigrated: true,
      agent: spec.agentNamespace ? { namespace: spec.agentNamespace } : {},
      agentConfigChanged: false,
      apiServerURL: address.apiServerURL,
      apiServerCAHash: caHash(address.apiServerCA),
      agentTLSMode: hub.agentTLSMode,
      garbageCollectionInterval: hub.garbageCollectionInterval,
    }
  }

  async function withoutAddress(cluster: Cluster): Promise<void> {
    await change(cluster, ({ status = {} }) => ({ ...status, agentConfigChanged: false }))
    throw new TerminalError(
      'the agent cannot be installed: agents do not know where the management cluster is; set apiServerURL in the kubeconfig secret or in the configuration',
      { reason: 'MissingAPIServerURL' },
    )
  }

  async function readPullSecrets({ spec }: Cluster, hub: HubConfig): Promise<Secret[]> {
    if (spec.agentPullSecrets) return [] // the cluster's own are there already, or come by another way
    const namespace = settings.systemNamespace
    return inParallel(agentPullSecrets({ spec, config: hub }), 4, async (name) => {
      const secret = await client.find<Secret>({ ...SECRET, name, namespace })
      if (!secret)
        throw new Error(`imagePullSecrets of the configuration names "${name}", and there is no such secret in namespace ${namespace}`)
      return secret
    })
  }

  /** Nothing is to be done: whatever was wrong before is not wrong any more. */
  async function done(cluster: Cluster): Promise<void> {
    await change(cluster, ({ status = {} }) => ({
      ...status,
      conditions: conditions(status, [trueCondition('Imported'), trueCondition('Reconciled')]),
    }))
  }

  async function report(cluster: Cluster, error: unknown): Promise<void> {
    if (isConflict(error)) return // somebody else changed the cluster meanwhile: it is looked at again at once
    const key = keyOf(cluster)
    if (error instanceof WaitingError) {
      const since = waitsSince.get(key) ?? clock.now()
      waitsSince.set(key, since)
      if (clock.now() - since < SAY_AFTER_MS) return
    } else waitsSince.delete(key)
    await change(cluster, ({ status = {} }) => ({ ...status, conditions: conditions(status, [errorCondition('Imported', error)]) }))
  }

  function conditions(status: ClusterStatus, updates: readonly ConditionUpdate[]): NonNullable<ClusterStatus['conditions']> {
    return updates.reduce((list, update) => setCondition(list, update, clock.now()), status.conditions ?? [])
  }

  function change(cluster: Cluster, next: StatusChange): Promise<Cluster> {
    return changeStatus(deps, cluster, next, DEPLOYED)
  }

  const controller = createController({
    name: 'import',
    workers,
    reconcile,
    clock,
    log: deps.log,
    metrics,
    backoff: BACKOFF,
    timeoutMs: IMPORT_MS,
  })
  controller.watch(clusters, (event) => (mayNeedImport(event) ? [keyOf(event.object)] : []))
  controller.watch(clusters, (event) => rivalsAt(clusters, event))
  // a moment later: whoever removes a registration may be about to make the next one
  controller.watch(registrations, ({ type, object }) => (type === 'deleted' ? clustersOfRegistration(informers, object) : []), {
    debounceMs: REGISTRATION_GONE_MS,
  })
  controller.watch(secretNames, ({ object }) => clusters.by(BY_KUBECONFIG_SECRET, keyOf(object)).map(keyOf))
  controller.watch(tokens, ({ type, object: { metadata, status } }) => {
    const owner = status?.secretName || type === 'deleted' ? metadata.ownerReferences?.find(({ kind }) => kind === 'Cluster') : undefined
    return owner ? [`${metadata.namespace}/${owner.name}`] : []
  })
  config.onChange(() => {
    for (const cluster of clusters.list()) if (cluster.spec.kubeConfigSecret) controller.enqueue(keyOf(cluster))
  })
  return controller
}

function concernsImport(cluster: Cluster): boolean {
  const { metadata } = cluster
  return !metadata.deletionTimestamp && !metadata.labels?.[CLUSTER_MANAGEMENT_LABEL] && kubeconfigSecretKey(cluster) !== undefined
}

/** Reports of the agent and sums over its deployments change nothing here. */
function mayNeedImport({ type, object, old }: InformerEvent<Cluster>): boolean {
  if (type !== 'modified' || !old) return type !== 'deleted'
  const relevant = ({ metadata, status }: Cluster): string =>
    JSON.stringify([
      metadata.generation,
      metadata.labels?.[CLUSTER_MANAGEMENT_LABEL],
      Boolean(status?.namespace),
      status?.agentConfigChanged,
      status?.agentDeployedGeneration,
      status?.agent?.namespace,
    ])
  return relevant(old) !== relevant(object)
}
