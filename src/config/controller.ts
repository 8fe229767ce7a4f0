// The settings of fleet-controller: flags, then environment, then the defaults of the chart.
import { type ElectionConfig, electionConfig } from './election.ts'
import { type BindAddress, bindAddress, ConfigError, type Environment, flag, integer, workers } from './environment.ts'
import { parseFlags } from './flags.ts'

/** The controllers of the hub in the order in which data travels through them. */
export const CONTROLLERS = [
  'registration',
  'cluster',
  'gitrepo',
  'helmop',
  'bundle',
  'bundledeployment',
  'clustergroup',
  'schedule',
  'imagescan',
  'content',
  'cleanup',
] as const
/** Those that look at all objects, whatever their shard: a shard runs none of them (spec 2.2). */
const UNSHARDED: readonly ControllerName[] = ['registration', 'content', 'cleanup']
export type ControllerName = (typeof CONTROLLERS)[number]
const IMAGE_SCANS = 'IMAGESCAN_ENABLED'
/** Those that a variable switches on (spec 10.3). */
const SWITCHES: Readonly<Partial<Record<ControllerName, string>>> = {
  schedule: 'EXPERIMENTAL_SCHEDULES',
  imagescan: IMAGE_SCANS,
}

export interface ControllerConfig {
  /** path of a kubeconfig; undefined inside a cluster */
  readonly kubeconfig: string | undefined
  /** where this pod finds its service account when there is no kubeconfig */
  readonly inCluster: { readonly host: string | undefined; readonly port: string | undefined }
  /** the system namespace: configuration, lease */
  readonly namespace: string
  readonly controllers: ReadonlySet<ControllerName>
  /** objects with this value of the label fleet.cattle.io/shard-ref are ours; empty: those without the label (spec 2.2) */
  readonly shard: string
  readonly identity: string
  readonly lease: string
  readonly election: ElectionConfig
  readonly workers: Readonly<Record<ControllerName, number>>
  readonly health: BindAddress | undefined
  readonly metrics: BindAddress | undefined
  /** where push notifications of git servers come in; undefined: nowhere */
  readonly webhooks: BindAddress | undefined
  /** image scans of repositories are taken up, whoever runs them */
  readonly imageScans: boolean
  readonly debug: boolean
  /** HTTP_PROXY and HTTPS_PROXY for git over http(s), ALL_PROXY for git over ssh, and the hosts that are reached without them */
  readonly proxy: {
    readonly http: string | undefined
    readonly https: string | undefined
    readonly all: string | undefined
    readonly none: string | undefined
  }
  /** PEM certificates of the proxy, which git trusts besides all others */
  readonly proxyCaBundle: string | undefined
  /** git over ssh takes any host key, and with it anybody in between */
  readonly insecureSkipHostKeyChecks: boolean
  /** helm, for charts out of OCI registries: a path, or a name that is looked up in `searchPath` */
  readonly helmBinary: string
  /** PATH */
  readonly searchPath: string
  /** what agents are started with (spec 3.7) */
  readonly agents: AgentSettings
  /** tokens without a time to live are deleted (spec 3.3) */
  readonly tokenTtlRequired: boolean
  /** contents may lie in an OCI registry (spec 5.6) */
  readonly ociStorage: boolean
  /** the hub joins its own fleet as cluster `local`, if the configuration says so (spec 2.4) */
  readonly bootstrap: boolean
}

/** What the hub passes on to the agents that it installs. */
interface AgentSettings {
  readonly election: ElectionConfig
  readonly replicas: number
  readonly debugLevel: number | undefined
  readonly disableSecurityContext: boolean
  readonly passedEnv: Readonly<Record<string, string>>
}

export const CONTROLLER_USAGE = `fleet-controller: watches GitRepos, HelmOps and Bundles on the hub and decides what each cluster gets

  --kubeconfig FILE        the hub; default: KUBECONFIG, or the pod's service account
  --namespace NAME         the system namespace; default: NAMESPACE, or cattle-fleet-system
  --controllers A,B        run only these of: ${CONTROLLERS.join(', ')};
                           schedule needs EXPERIMENTAL_SCHEDULES=true, imagescan IMAGESCAN_ENABLED=true. --controllers=-A,-B: all but these
  --shard-id ID            take only objects with the label fleet.cattle.io/shard-ref=ID
  --listen HOST:PORT       receive webhooks of git servers there; default: :8080 with --controllers=gitrepo, otherwise nowhere
  --leader-elect=BOOL      wait for the lease before working; default: true
  --insecure-skip-host-key-checks
                           take any key of ssh servers, and with it anybody in between; default: FLEET_INSECURE_SKIP_HOST_KEY_CHECKS
  --disable-metrics        serve no metrics
  --disable-bootstrap      do not join the hub to its own fleet, whatever the configuration says
  --debug                  log more
  --debug-level N          passed on to agents with FLEET_PROPAGATE_DEBUG_SETTINGS_TO_AGENTS=true
  --version, --help
`

const FLAGS = {
  kubeconfig: 'text',
  namespace: 'text',
  controllers: 'text',
  'shard-id': 'text',
  listen: 'text',
  'leader-elect': 'boolean',
  'insecure-skip-host-key-checks': 'boolean',
  'disable-metrics': 'boolean',
  'disable-bootstrap': 'boolean',
  debug: 'boolean',
  'debug-level': 'text',
} as const

const NOWHERE = '0'

/** Reads flags and environment; throws ConfigError for whatever cannot be used. */
export function controllerConfig(
  args: readonly string[],
  env: Environment,
  host: { readonly hostname: string; readonly pid: number },
): ControllerConfig {
  const flags = parseFlags(args, FLAGS)
  const shard = flags['shard-id'] ?? ''
  const controllers = parseControllers(flags.controllers, shard !== '', env)
  const gitOnly = [...controllers].every((name) => name === 'gitrepo')
  const helmOnly = [...controllers].every((name) => name === 'helmop')
  return {
    kubeconfig: flags.kubeconfig ?? (env.KUBECONFIG || undefined),
    inCluster: { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT },
    namespace: flags.namespace ?? (env.NAMESPACE || 'cattle-fleet-system'),
    controllers,
    shard,
    identity: env.POD_NAME || `${host.hostname}-${host.pid}`,
    lease: leaseName(controllers, shard),
    election: electionConfig(env, flags['leader-elect'] ?? true),
    workers: {
      registration: workers(env, 'REGISTRATION', 50),
      cleanup: 4,
      gitrepo: workers(env, 'GITREPO', 50),
      helmop: workers(env, 'HELMOPS', 50),
      bundle: workers(env, 'BUNDLE', 50),
      bundledeployment: workers(env, 'BUNDLEDEPLOYMENT', 50),
      cluster: workers(env, 'CLUSTER', 50),
      clustergroup: workers(env, 'CLUSTERGROUP', 50),
      schedule: workers(env, 'SCHEDULE', 50),
      imagescan: workers(env, 'IMAGESCAN', 50),
      content: workers(env, 'CONTENT', 50),
    },
    // A process for GitRepos alone has its webhooks where others have their metrics (spec 2.1).
    health: bindAddress(env, 'FLEET_HEALTHPROBE_BIND_ADDRESS', gitOnly || helmOnly ? ':8082' : ':8081'),
    metrics: flags['disable-metrics'] ? undefined : metricsAddress(env, gitOnly, helmOnly),
    webhooks: controllers.has('gitrepo') ? bindAddress({ '--listen': flags.listen }, '--listen', gitOnly ? ':8080' : NOWHERE) : undefined,
    imageScans: flag(env, IMAGE_SCANS, false),
    debug: flags.debug ?? false,
    proxy: {
      http: env.HTTP_PROXY || env.http_proxy,
      https: env.HTTPS_PROXY || env.https_proxy,
      all: env.ALL_PROXY || env.all_proxy,
      none: env.NO_PROXY || env.no_proxy,
    },
    proxyCaBundle: env.PROXY_CA_BUNDLE || undefined,
    insecureSkipHostKeyChecks: flags['insecure-skip-host-key-checks'] ?? flag(env, 'FLEET_INSECURE_SKIP_HOST_KEY_CHECKS', false),
    helmBinary: env.FLEET_HELM_BINARY || 'helm',
    searchPath: env.PATH ?? '',
    agents: agentSettings(env, flags),
    tokenTtlRequired: flag(env, 'FLEET_REGISTRATION_TOKEN_TTL_REQUIRED', false),
    ociStorage: flag(env, 'OCI_STORAGE', true),
    bootstrap: !(flags['disable-bootstrap'] ?? false),
  }
}

/** Programs that do one thing alone, as those of other releases do, wait for the lease of that thing (spec 2.1). */
const LEASES: Readonly<Partial<Record<ControllerName, string>>> = {
  gitrepo: 'fleet-gitops-leader-election-shard',
  helmop: 'fleet-helmops-leader-election-shard',
  registration: 'fleet-agentmanagement-lock',
  cleanup: 'fleet-cleanup-lock',
}

function leaseName(controllers: ReadonlySet<ControllerName>, shard: string): string {
  const [only, ...others] = controllers
  const own = only && others.length === 0 ? LEASES[only] : undefined
  return `${own ?? 'fleet-controller-leader-election-shard'}${shard ? `-${shard}` : ''}`
}

/** Processes for one source alone have variables of their own for it (spec 10.3). */
function metricsAddress(env: Environment, gitOnly: boolean, helmOnly: boolean): BindAddress | undefined {
  if (gitOnly) return bindAddress(env, 'GITOPS_METRICS_BIND_ADDRESS', ':8081')
  if (helmOnly) return bindAddress(env, 'HELMOPS_METRICS_BIND_ADDRESS', ':8081')
  return bindAddress(env, 'FLEET_METRICS_BIND_ADDRESS', ':8080')
}

const ERROR_MAPPING = 'CATTLE_WRANGLER_CHECK_GVK_ERROR_MAPPING'

function agentSettings(env: Environment, flags: { readonly debug?: boolean; readonly 'debug-level'?: string }): AgentSettings {
  const propagates = flag(env, 'FLEET_PROPAGATE_DEBUG_SETTINGS_TO_AGENTS', false)
  const passesDebug = propagates && flags.debug === true
  return {
    election: electionConfig(env, true, 'FLEET_AGENT'),
    replicas: integer(env, 'FLEET_AGENT_REPLICA_COUNT', 1, 0),
    debugLevel: passesDebug ? integer({ '--debug-level': flags['debug-level'] }, '--debug-level', 0) : undefined,
    disableSecurityContext: flag(env, 'FLEET_DEBUG_DISABLE_SECURITY_CONTEXT', false) && propagates,
    passedEnv: env[ERROR_MAPPING] ? { [ERROR_MAPPING]: env[ERROR_MAPPING] } : {},
  }
}

function parseControllers(text: string | undefined, isShard: boolean, env: Environment): ReadonlySet<ControllerName> {
  const possible = CONTROLLERS.filter((name) => !isShard || !UNSHARDED.includes(name))
  const isOff = (name: ControllerName): boolean => SWITCHES[name] !== undefined && !flag(env, SWITCHES[name], false)
  if (text === undefined) return new Set(possible.filter((name) => !isOff(name)))
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  if (names.length > 0 && names.every((name) => name.startsWith('-')))
    return allBut(
      text,
      names.map((name) => name.slice(1)),
      possible,
      isOff,
    )
  const unknown = names.filter((name) => !possible.some((candidate) => candidate === name))
  if (unknown.length > 0 || names.length === 0) throw new ConfigError(`--controllers=${text}: choose from ${possible.join(', ')}`)
  const chosen = names.filter(isController)
  const off = chosen.find(isOff)
  if (off) throw new ConfigError(`--controllers=${text}: to run ${off}, set ${SWITCHES[off]}=true`)
  return new Set(chosen)
}

function allBut(
  text: string,
  without: readonly string[],
  possible: readonly ControllerName[],
  isOff: (name: ControllerName) => boolean,
): ReadonlySet<ControllerName> {
  if (!without.every(isController)) throw new ConfigError(`--controllers=${text}: choose from ${CONTROLLERS.join(', ')}`)
  return new Set(possible.filter((name) => !isOff(name) && !without.includes(name)))
}

function isController(name: string): name is ControllerName {
  return (CONTROLLERS as readonly string[]).includes(name)
}
