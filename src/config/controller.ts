// The settings of fleet-controller: flags, then environment, then the defaults of the chart.
import { type ElectionConfig, electionConfig } from './election.ts'
import { type BindAddress, bindAddress, ConfigError, type Environment, workers } from './environment.ts'
import { parseFlags } from './flags.ts'

/** The controllers of the hub in the order in which data travels through them. */
export const CONTROLLERS = ['gitrepo', 'bundle', 'bundledeployment', 'cluster', 'clustergroup', 'content'] as const
export type ControllerName = (typeof CONTROLLERS)[number]

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
  readonly debug: boolean
  /** HTTPS_PROXY for git over http(s), and the hosts that are reached without it */
  readonly proxy: { readonly http: string | undefined; readonly https: string | undefined; readonly none: string | undefined }
  readonly tempDir: string | undefined
}

export const CONTROLLER_USAGE = `fleet-controller: watches GitRepos and Bundles on the hub and decides what each cluster gets

  --kubeconfig FILE        the hub; default: KUBECONFIG, or the pod's service account
  --namespace NAME         the system namespace; default: NAMESPACE, or cattle-fleet-system
  --controllers A,B        run only these of: ${CONTROLLERS.join(', ')}
  --shard-id ID            take only objects with the label fleet.cattle.io/shard-ref=ID
  --listen HOST:PORT       receive webhooks of git servers there; default: :8080 with --controllers=gitrepo, otherwise nowhere
  --leader-elect=BOOL      wait for the lease before working; default: true
  --disable-metrics        serve no metrics
  --debug                  log more
  --version, --help
`

const FLAGS = {
  kubeconfig: 'text',
  namespace: 'text',
  controllers: 'text',
  'shard-id': 'text',
  listen: 'text',
  'leader-elect': 'boolean',
  'disable-metrics': 'boolean',
  debug: 'boolean',
} as const

const NOWHERE = '0'

/** Reads flags and environment; throws ConfigError for whatever cannot be used. */
export function controllerConfig(
  args: readonly string[],
  env: Environment,
  host: { readonly hostname: string; readonly pid: number },
): ControllerConfig {
  const flags = parseFlags(args, FLAGS)
  const controllers = parseControllers(flags.controllers)
  const shard = flags['shard-id'] ?? ''
  const gitOnly = [...controllers].every((name) => name === 'gitrepo')
  return {
    kubeconfig: flags.kubeconfig ?? (env.KUBECONFIG || undefined),
    inCluster: { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT },
    namespace: flags.namespace ?? (env.NAMESPACE || 'cattle-fleet-system'),
    controllers,
    shard,
    identity: env.POD_NAME || `${host.hostname}-${host.pid}`,
    lease: `${gitOnly ? 'fleet-gitops' : 'fleet-controller'}-leader-election-shard${shard ? `-${shard}` : ''}`,
    election: electionConfig(env, flags['leader-elect'] ?? true),
    workers: {
      gitrepo: workers(env, 'GITREPO', 50),
      bundle: workers(env, 'BUNDLE', 50),
      bundledeployment: workers(env, 'BUNDLEDEPLOYMENT', 50),
      cluster: workers(env, 'CLUSTER', 50),
      clustergroup: workers(env, 'CLUSTERGROUP', 50),
      content: workers(env, 'CONTENT', 50),
    },
    // A process for GitRepos alone has its webhooks where others have their metrics (spec 2.1).
    health: bindAddress(env, 'FLEET_HEALTHPROBE_BIND_ADDRESS', gitOnly ? ':8082' : ':8081'),
    metrics: flags['disable-metrics']
      ? undefined
      : bindAddress(env, gitOnly ? 'GITOPS_METRICS_BIND_ADDRESS' : 'FLEET_METRICS_BIND_ADDRESS', gitOnly ? ':8081' : ':8080'),
    webhooks: controllers.has('gitrepo') ? bindAddress({ '--listen': flags.listen }, '--listen', gitOnly ? ':8080' : NOWHERE) : undefined,
    debug: flags.debug ?? false,
    proxy: { http: env.HTTP_PROXY || env.http_proxy, https: env.HTTPS_PROXY || env.https_proxy, none: env.NO_PROXY || env.no_proxy },
    tempDir: env.TMPDIR,
  }
}

function parseControllers(text: string | undefined): ReadonlySet<ControllerName> {
  if (text === undefined) return new Set(CONTROLLERS)
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const unknown = names.filter((name) => !isController(name))
  if (unknown.length > 0 || names.length === 0) throw new ConfigError(`--controllers=${text}: choose from ${CONTROLLERS.join(', ')}`)
  return new Set(names.filter(isController))
}

function isController(name: string): name is ControllerName {
  return (CONTROLLERS as readonly string[]).includes(name)
}
