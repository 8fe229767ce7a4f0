// The agent of a cluster: finds its hub, follows its BundleDeployments there, and deploys them here.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import { createChartDownloader } from '../lib/charts/downloads.ts'
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
import { createRegistries } from '../lib/oci/registry.ts'
import { createAccounts } from './accounts.ts'
import { createAttempts } from './attempt.ts'
import { createCare } from './care.ts'
import { createChartDownloads } from './chart-download.ts'
import { createCollector } from './collect.ts'
import type { AgentConfig } from './config.ts'
import { createDeploymentReconciler } from './controller.ts'
import { createCorrector } from './correct.ts'
import { createDeployer } from './deployer.ts'
import { untilStop } from './failures.ts'
import { runHeartbeat } from './heartbeat.ts'
import { ERROR_CONDITIONS, type ErrorConditions, withErrorMappings } from './monitor/condition-tables.ts'
import { createMonitor } from './monitor/monitor.ts'
import { createRegistryContents } from './oci-contents.ts'
import { createOrphans } from './orphans.ts'
import { ensureRegistered, type RegistrationOptions } from './register/register.ts'
import { createRotation, type Rotation } from './register/rotate.ts'
import { watchCredential } from './register/watch-credential.ts'
import type { ReleaseEngine } from './release/engine.ts'
import { createHelmEngine } from './release/helm-engine.ts'
import { createNativeEngine, type NativeEngineOptions } from './release/native-engine.ts'
import { settleInterrupted, settleRelease } from './release/settle.ts'
import { createReleaseStore, releaseSecrets } from './release/store.ts'
import { createRemoval } from './removal.ts'
import { createTracking } from './tracking.ts'
import { readSettings, type Upstream } from './upstream.ts'
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
  // registering is the leader's work too: of two registrations the hub keeps only the later one
  const work = (stop: AbortSignal): Promise<void> => serveHubs(config, deps, { client, workDir: root.path }, stop)
  try {
    if (!deps.leaderElection) return await work(signal)
    await deps.leaderElection(work, signal)
    if (!signal.aborted) throw new Error('leadership was lost')
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await client.close()
    await root.remove()
  }
}

/** Follows the hub; starts over when the credential for it has to be another one. */
async function serveHubs(
  config: AgentConfig,
  deps: AgentDeps,
  own: Pick<Surroundings, 'client' | 'workDir'>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, random } = deps
  const { namespace, podName, proxy } = config
  const registration: RegistrationOptions = { client: own.client, namespace, podName, proxy, clock, log, random }
  while (!signal.aborted) {
    const upstream = await ensureRegistered(registration, signal)
    const connection = await loadConnection({ kubeconfigText: upstream.kubeconfig, trusted: false, proxy, clock })
    const hub = createClient(connection, { clock })
    const over = new AbortController()
    const options = { ...registration, kubeconfig: upstream.kubeconfig, hub: { client: hub, namespace: connection.namespace } }
    const watch = async (stop: AbortSignal): Promise<void> => {
      if ((await watchCredential(options, stop)) === 'lost') over.abort(new Error('the credential is lost'))
    }
    try {
      await follow(
        config,
        deps,
        { ...own, hub, upstream, namespace: connection.namespace, watch, rotation: createRotation(options) },
        AbortSignal.any([signal, over.signal]),
      )
    } finally {
      await hub.close()
    }
  }
}

interface Surroundings {
  client: KubeClient
  hub: KubeClient
  upstream: Upstream
  /** The cluster namespace on the hub. */
  namespace: string
  workDir: string
  /** Watches over the credential for the hub; returns when it is lost. */
  watch(stop: AbortSignal): Promise<void>
  rotation: Rotation
}

async function follow(
  config: AgentConfig,
  deps: AgentDeps,
  { client, hub, upstream, namespace, workDir, watch, rotation }: Surroundings,
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
  const helm = createHelm({
    binary: helmBinary ?? 'helm',
    home,
    env: config.childEnv,
    concurrency: config.processes,
    stopping: untilStop(signal),
  })
  const tools = { helm, kustomize: { binary: kubectl ?? 'kubectl', home, slots: createSlots(config.processes) } }
  const engine = chosenEngine(config, createHelmEngine({ helm, store, client, workDir }), { store, clock })
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
  const { httpProxy: http, httpsProxy: https, noProxy: none } = config.proxy ?? {}
  const proxy = { http, https, none }
  const downloader = createChartDownloader({ helm: helmBinary ?? 'helm', proxy, tempDir: workDir })
  const registries = createRegistries({ proxy, clock })
  const charts = createChartDownloads({ hub, downloader, clock })
  const deployer = createDeployer({
    hub,
    charts,
    registry: createRegistryContents({ hub, registries }),
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
  const corrector = createCorrector({ accounts, engine, settle: (release) => settleRelease(store, release), clock })
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
          runHeartbeat(
            { hub, cluster: upstream.cluster, agentNamespace, intervalMs: config.checkinIntervalMs, ...rotation, clock, log },
            stop,
          ),
      },
      { name: 'collector', run: (stop) => collector.run(stop) },
      {
        name: 'interrupted releases',
        run: (stop) =>
          settleInterrupted({ store, isOurs: async (revision) => (await removal.ownOwner(revision)) !== undefined, log }, stop),
      },
      // caches do not fill with a credential that is refused, so this must not wait for them
      { name: 'credential', everywhere: true, run: watch },
    ],
    log,
    clock,
  })
  try {
    await manager.run(signal)
  } finally {
    charts.close()
    await Promise.all([downloader.close(), registries.close()])
    await monitor.stop()
    await accounts.close()
  }
}

function chosenEngine(
  { releaseEngine: choice = 'auto' }: AgentConfig,
  helm: ReleaseEngine,
  own: Pick<NativeEngineOptions, 'store' | 'clock'>,
): ReleaseEngine {
  return choice === 'helm' ? helm : createNativeEngine({ ...own, helm, choice })
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
