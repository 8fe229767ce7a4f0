// The settings of fleet-agent: flags, then environment, then the defaults of the chart.
import { type ElectionConfig, electionConfig } from './election.ts'
import { type BindAddress, bindAddress, ConfigError, type Environment, integer, signedDurationMs, workers } from './environment.ts'
import { parseFlags } from './flags.ts'
import { childEnvironment, type ProxySettings, proxySettings } from './proxy.ts'

export interface AgentProgramConfig {
  /** path of a kubeconfig for the agent's own cluster; undefined inside of it */
  readonly kubeconfig: string | undefined
  readonly inCluster: { readonly host: string | undefined; readonly port: string | undefined }
  /** the agent's namespace in its own cluster */
  readonly namespace: string
  /** tells the agents of one cluster apart (spec 3.7); empty by default */
  readonly scope: string
  /** names the pod on the cluster that it registers */
  readonly podName: string
  /** the way to the hub, when there is no direct one */
  readonly proxy: ProxySettings
  /** heartbeat (spec 3.9); 0 is the default */
  readonly checkinIntervalMs: number
  readonly workers: number
  /** who installs releases: our own engine where nothing of Helm is needed (auto), wherever it can (native), or helm always */
  readonly releaseEngine: (typeof ENGINES)[number]
  readonly helmBinary: string
  readonly kubectlBinary: string
  readonly searchPath: string
  readonly processes: number
  readonly tempDir: string
  readonly childEnv: Readonly<Record<string, string>>
  /** CATTLE_WRANGLER_CHECK_GVK_ERROR_MAPPING (spec 7.6) */
  readonly errorMappings: string | undefined
  readonly identity: string
  readonly election: ElectionConfig
  readonly health: BindAddress | undefined
  readonly metrics: BindAddress | undefined
  readonly debug: boolean
}

export const AGENT_USAGE = `fleet-agent: installs in this cluster what the hub has decided for it, watches it and reports back

  --kubeconfig FILE     the agent's own cluster; default: KUBECONFIG, or the pod's service account
  --namespace NAME      the agent's namespace; default: NAMESPACE, or cattle-fleet-system
  --agent-scope SCOPE   tells several agents of one cluster apart; default: AGENT_SCOPE
  --leader-elect=BOOL   wait for the lease before working; default: true
  --disable-metrics     serve no metrics
  --debug               log more
  --version, --help

Environment, beside what the chart sets:
  FLEET_RELEASE_ENGINE  auto, native or helm: what installs releases. auto (the default) applies plain manifests and kustomizations
                        without helm unless they have hooks or wait; native does so with charts, too; helm leaves everything to helm.
                        Releases look the same, and the setting may change at any time
  FLEET_HELM_BINARY, FLEET_KUBECTL_BINARY  the programs, by path or name
  FLEET_HELM_PROCESSES  helm and kubectl processes that work at a time; default: the number of processors, at least 2
`

const ENGINES = ['auto', 'native', 'helm'] as const

const FLAGS = {
  kubeconfig: 'text',
  namespace: 'text',
  'agent-scope': 'text',
  'leader-elect': 'boolean',
  'disable-metrics': 'boolean',
  debug: 'boolean',
} as const

/** What the machine says of itself. */
interface Host {
  readonly hostname: string
  readonly pid: number
  readonly cpus: number
  readonly tempDir: string
}

/** Reads flags and environment; throws ConfigError for whatever cannot be used. */
export function agentConfig(args: readonly string[], env: Environment, host: Host): AgentProgramConfig {
  const flags = parseFlags(args, FLAGS)
  return {
    kubeconfig: flags.kubeconfig ?? (env.KUBECONFIG || undefined),
    inCluster: { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT },
    namespace: flags.namespace ?? (env.NAMESPACE || 'cattle-fleet-system'),
    scope: flags['agent-scope'] ?? env.AGENT_SCOPE ?? '',
    podName: env.HOSTNAME || host.hostname,
    proxy: proxySettings(env),
    // a hub may pass on whatever its configuration says, and no agent is to stop for it
    checkinIntervalMs: Math.max(0, signedDurationMs(env, 'CHECKIN_INTERVAL', 0)),
    workers: workers(env, 'BUNDLEDEPLOYMENT', 50),
    releaseEngine: releaseEngine(env),
    helmBinary: env.FLEET_HELM_BINARY || 'helm',
    kubectlBinary: env.FLEET_KUBECTL_BINARY || 'kubectl',
    searchPath: env.PATH ?? '',
    processes: integer(env, 'FLEET_HELM_PROCESSES', Math.max(2, host.cpus), 1),
    tempDir: host.tempDir,
    childEnv: childEnvironment(env),
    errorMappings: env.CATTLE_WRANGLER_CHECK_GVK_ERROR_MAPPING || undefined,
    identity: env.POD_NAME || `${host.hostname}-${host.pid}`,
    election: electionConfig(env, flags['leader-elect'] ?? true),
    health: bindAddress(env, 'FLEET_AGENT_PROBE_BIND_ADDRESS', ':8081'),
    metrics: flags['disable-metrics'] ? undefined : bindAddress(env, 'FLEET_AGENT_METRICS_BIND_ADDRESS', ':8080'),
    debug: flags.debug ?? false,
  }
}

function releaseEngine({ FLEET_RELEASE_ENGINE: text = '' }: Environment): (typeof ENGINES)[number] {
  const engine = ENGINES.find((name) => name === (text.trim().toLowerCase() || 'auto'))
  if (!engine) throw new ConfigError(`FLEET_RELEASE_ENGINE="${text}" is no engine: write ${ENGINES.join(', ')}`)
  return engine
}
