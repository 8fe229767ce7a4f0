// The agent of a cluster: finds its hub, follows its BundleDeployments there, and deploys them here.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { createController } from '../lib/controller/controller.ts'
import type { Logger } from '../lib/controller/log.ts'
import { createManager, type ManagerOptions } from '../lib/controller/manager.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import { locate } from '../lib/exec/locate.ts'
import { createSlots } from '../lib/exec/slots.ts'
import { createHelm } from '../lib/helm/helm.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { type KubeConnection, loadConnection } from '../lib/kube/connection.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { createAccounts } from './accounts.ts'
import { createAttempts } from './attempt.ts'
import { createCare } from './care.ts'
import { createCollector } from './collect.ts'
import type { AgentConfig } from './config.ts'
import { createDeploymentReconciler } from './controller.ts'
import { createCorrector } from './correct.ts'
import { createDeployer } from './deployer.ts'
import { runHeartbeat } from './heartbeat.ts'
import { ERROR_CONDITIONS, type ErrorConditions, withErrorMappings } from './monitor/condition-tables.ts'
import { createMonitor } from './monitor/monitor.ts'
import { createOrphans } from './orphans.ts'
import { createHelmEngine } from './release/helm-engine.ts'
import { createReleaseStore, releaseSecrets } from './release/store.ts'
import { createRemoval } from './removal.ts'
import { createTracking } from './tracking.ts'
import { awaitUpstream, readSettings } from './upstream.ts'
import { createWorkRoot } from './work-root.ts'

export interface AgentDeps {
  /** The cluster the agent runs in. */
  connection: KubeConnection
  log: Logger
  clock: Clock
  /** In [0, 1). */
  random(): number
  metrics?: ControllerMetrics | undefined
  leaderElection?: ManagerOptions['leaderElection']
}

const BACKOFF = { baseMs: 250, maxMs: 120_000 }
/** Events of live objects come in bursts. */
const CHANGE_DEBOUNCE_MS = 250
/** A release may wait for its objects for hours; other limits end what hangs. */
const RECONCILE_TIMEOUT_MS = 24 * 3_600_000

/** Runs an agent until the signal is aborted. Rejects when a part of it ends without being asked to. */
export async function startAgent(config: AgentConfig, deps: AgentDeps, signal: AbortSignal): Promise<void> {
  const client = createClient(deps.connection, { clock: deps.clock })
  const root = await createWorkRoot(config.tempDir, config.namespace, deps.log)
  try {
    const upstream = await awaitUpstream(client, config.namespace, deps, signal)
    const connection = await loadConnection({ kubeconfigText: upstream.kubeconfig, trusted: false })
    const hub = createClient(connection, { clock: deps.clock })
    try {
      await follow(config, deps, { client, hub, upstream, namespace: connection.namespace, workDir: root.path }, signal)
    } finally {
      await hub.close()
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await client.close()
    await root.remove()
  }
}

interface Surroundings {
  client: KubeClient
  hub: KubeClient
  upstream: Awaited<ReturnType<typeof awaitUpstream>>
  /** The cluster namespace on the hub. */
  namespace: string
  workDir: string
}

async function follow(
  config: AgentConfig,
  deps: AgentDeps,
  { client, hub, upstream, namespace, workDir }: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const { log, clock } = deps
  const { namespace: agentNamespace, scope: agentScope } = config
  const settings = await readSettings(client, agentNamespace, log)
  const above = createInformerFactory(hub, { clock, log, random: deps.random })
  const below = createInformerFactory(client, { clock, log, random: deps.random })
  const deployments = above.informer<BundleDeployment>({ type: BUNDLE_DEPLOYMENT, namespace, project: withoutStagedOptions })
  const store = createReleaseStore(client, below.informer<KubeObject>(releaseSecrets))

  const home = `${workDir}/home`
  const [helmBinary, kubectl] = await Promise.all(
    [config.helmBinary, config.kubectlBinary].map((binary) => locate(binary, config.searchPath)),
  )
  const helm = createHelm({ binary: helmBinary ?? 'helm', home, env: config.childEnv, concurrency: config.processes })
  const tools = { helm, kustomize: { binary: kubectl ?? 'kubectl', home, slots: createSlots(config.processes) } }
  const engine = createHelmEngine({ helm, store, client, workDir })
  const accounts = createAccounts({
    connection: deps.connection,
    client,
    namespace: agentNamespace,
    createClient: (as) => createClient(as, { clock }),
  })

  const find = (name: string): BundleDeployment | undefined => deployments.get(name, namespace)
  const isGone = async (name: string): Promise<boolean> => (await hub.find({ ...BUNDLE_DEPLOYMENT, namespace, name })) === undefined
  const errors = errorConditions(config.errorMappings, log)
  const monitor = createMonitor({ client, clock, log, errors, onChange: (key) => controller.enqueueAfter(key, CHANGE_DEBOUNCE_MS) })
  const removal = createRemoval({ client, accounts, engine, store, agentNamespace, log })
  const collector = createCollector({
    store,
    removal,
    find,
    isGone,
    intervalMs: settings.garbageCollectionIntervalMs,
    clock,
    random: deps.random,
    log,
  })
  const deployer = createDeployer({
    hub,
    client,
    accounts,
    engine,
    tools,
    agentNamespace,
    agentScope,
    workDir,
    deployments: () => deployments.list(),
  })
  const tracking = createTracking({ monitor, engine, client, agentScope })
  const corrector = createCorrector({ accounts, engine, clock })
  const attempts = createAttempts({ deployer, store, tracking, clock, log })
  const care = createCare({ tracking, corrector, orphans: createOrphans({ accounts, engine }), clock, log })
  const reconciler = createDeploymentReconciler({
    hub,
    deployments,
    attempts,
    care,
    removal,
    tracking,
    corrector,
    log,
    onSuccess: collector.start,
  })
  const controller = createController({
    name: 'bundledeployment',
    workers: config.workers,
    reconcile: reconciler.reconcile,
    clock,
    log,
    metrics: deps.metrics,
    backoff: BACKOFF,
    timeoutMs: RECONCILE_TIMEOUT_MS,
  })
  controller.watch(deployments, reconciler.keysFor)

  const manager = createManager({
    informers: [above, below],
    controllers: [controller],
    runnables: [
      {
        name: 'heartbeat',
        run: (stop) =>
          runHeartbeat({ hub, cluster: upstream.cluster, agentNamespace, intervalMs: config.checkinIntervalMs, clock, log }, stop),
      },
      { name: 'collector', run: (stop) => collector.run(stop) },
    ],
    leaderElection: deps.leaderElection,
    log,
    clock,
  })
  try {
    await manager.run(signal)
  } finally {
    await monitor.stop()
    await accounts.close()
  }
}

/** A mapping that cannot be read must not keep an agent from its work. */
function errorConditions(mappings: string | undefined, log: Logger): ErrorConditions {
  if (!mappings) return ERROR_CONDITIONS
  try {
    return withErrorMappings(mappings)
  } catch (error) {
    log.warn({ err: error }, 'CATTLE_WRANGLER_CHECK_GVK_ERROR_MAPPING cannot be read and is not used')
    return ERROR_CONDITIONS
  }
}

/** The options of the next version are not ours yet, and can be large. */
function withoutStagedOptions(deployment: BundleDeployment): BundleDeployment {
  const { stagedOptions: _, ...spec } = deployment.spec
  return { ...deployment, spec }
}
