import type { ProxySettings } from '../lib/kube/proxy.ts'
import type { EngineChoice } from './release/choose.ts'

/** What an agent is started with. */
export interface AgentConfig {
  /** Namespace of the agent in its own cluster: its Secret, its ConfigMap, the accounts that deployments may name. */
  readonly namespace: string
  /** HOSTNAME: names the pod on the cluster that it registers. */
  readonly podName: string
  /** The way to the hub, when there is no direct one. */
  readonly proxy: ProxySettings | undefined
  /** AGENT_SCOPE: tells the object sets of several agents in one cluster apart; empty for one. */
  readonly scope: string
  /** CHECKIN_INTERVAL in milliseconds; 0 is the default of 15 minutes. */
  readonly checkinIntervalMs: number
  /** Deployments that are worked on at a time. */
  readonly workers: number
  /** Programs: a path, or a name that is looked up in `searchPath`. */
  readonly helmBinary: string
  /** FLEET_RELEASE_ENGINE: who installs releases; `auto` unless it is set. */
  readonly releaseEngine?: EngineChoice | undefined
  /** kubectl or kustomize. */
  readonly kubectlBinary: string
  /** PATH */
  readonly searchPath: string
  /** helm and kubectl processes that work at a time; each takes up to 100 MB. */
  readonly processes: number
  /** Folder for temporary files. */
  readonly tempDir: string
  /** Environment of helm: proxies, certificate files. */
  readonly childEnv: Readonly<Record<string, string>>
  /** CATTLE_WRANGLER_CHECK_GVK_ERROR_MAPPING: conditions that mean an error, by kind (spec 7.6). */
  readonly errorMappings?: string | undefined
}
