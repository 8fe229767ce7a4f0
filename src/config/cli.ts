// The environment of the fleet command. Variables that stand for a flag are named in the table of that flag.
import { type Environment, flag, integer } from './environment.ts'
import { childEnvironment } from './proxy.ts'

export interface CliConfig {
  /** path of a kubeconfig, or several; `--kubeconfig` goes before it */
  readonly kubeconfig: string | undefined
  readonly inCluster: { readonly host: string | undefined; readonly port: string | undefined }
  readonly proxy: { readonly http: string | undefined; readonly https: string | undefined; readonly none: string | undefined }
  /** failures and warnings are lines of JSON on standard error (spec 9.1) */
  readonly jsonErrors: boolean
  /** undefined: colours on a terminal only */
  readonly colours: boolean | undefined
  /** how often `fleet apply` tries when somebody else writes at the same time (spec 6.8) */
  readonly applyAttempts: number
  /** OCI_STORAGE: files may go into a registry (spec 5.6) */
  readonly ociStorage: boolean
  readonly helmBinary: string
  readonly kubectlBinary: string
  readonly searchPath: string
  readonly tempDir: string
  readonly pid: number
  readonly childEnv: Readonly<Record<string, string>>
}

/** Reads the environment; throws ConfigError for what cannot be used. */
export function cliConfig(env: Environment, host: { readonly tempDir: string; readonly pid: number }): CliConfig {
  return {
    kubeconfig: env.KUBECONFIG || undefined,
    inCluster: { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT },
    proxy: { http: env.HTTP_PROXY || env.http_proxy, https: env.HTTPS_PROXY || env.https_proxy, none: env.NO_PROXY || env.no_proxy },
    jsonErrors: flag(env, 'FLEET_JSON_OUTPUT', false),
    colours: coloursOf(env),
    applyAttempts: Math.max(1, integer(env, 'FLEET_APPLY_CONFLICT_RETRIES', 1)),
    ociStorage: flag(env, 'OCI_STORAGE', true),
    helmBinary: env.FLEET_HELM_BINARY || 'helm',
    kubectlBinary: env.FLEET_KUBECTL_BINARY || 'kubectl',
    searchPath: env.PATH ?? '',
    tempDir: host.tempDir,
    pid: host.pid,
    childEnv: childEnvironment(env),
  }
}

/** NO_COLOR and FORCE_COLOR as other commands understand them; a dumb terminal shows no colours. */
function coloursOf(env: Environment): boolean | undefined {
  if (env.NO_COLOR || env.TERM === 'dumb') return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return undefined
}
