// What the registration controllers are made with.
import type { HubConfigSource } from '../config/hub-config.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import type { StatusWriter } from '../lib/controller/status.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeConnection } from '../lib/kube/connection.ts'
import type { RegistrationInformers } from './informers.ts'

/** What agents are started with, beside the configuration of the hub (environment variables of spec 10.3). */
export interface AgentProcessSettings {
  /** FLEET_AGENT_ELECTION_*, in milliseconds. */
  readonly election: { readonly leaseDurationMs: number; readonly retryPeriodMs: number; readonly renewDeadlineMs: number }
  /** FLEET_AGENT_REPLICA_COUNT. */
  readonly replicas: number
  /** The level that agents log at when FLEET_PROPAGATE_DEBUG_SETTINGS_TO_AGENTS passes our own on to them; undefined otherwise. */
  readonly debugLevel: number | undefined
  /** FLEET_DEBUG_DISABLE_SECURITY_CONTEXT. */
  readonly disableSecurityContext: boolean
  /** Variables that are passed on as they are, such as CATTLE_WRANGLER_CHECK_GVK_ERROR_MAPPING; a cluster's own win. */
  readonly passedEnv: Readonly<Record<string, string>>
}

/** Settings of the process. */
export interface RegistrationSettings {
  readonly systemNamespace: string
  /** The running version, as in the annotation of the configuration. */
  readonly version: string
  readonly agent: AgentProcessSettings
  /** FLEET_REGISTRATION_TOKEN_TTL_REQUIRED. */
  readonly tokenTtlRequired: boolean
  /** False with --disable-bootstrap. */
  readonly bootstrap: boolean
}

/** What every controller here is made with. */
export interface RegistrationDeps {
  readonly client: KubeClient
  /** Our own connection: what the kubeconfig of the cluster `local` is made of. */
  readonly connection: KubeConnection
  readonly informers: RegistrationInformers
  readonly config: HubConfigSource
  readonly settings: RegistrationSettings
  /** One for all controllers, so that none stumbles over what another has just written. */
  readonly statuses: StatusWriter
  readonly events: EventRecorder
  readonly log: Logger
  readonly clock: Clock
  readonly workers: number
  readonly metrics?: ControllerMetrics | undefined
  /** A number in [0, 1), for jitter; and random bytes, for identities. */
  readonly randomBytes: (length: number) => Uint8Array
}
