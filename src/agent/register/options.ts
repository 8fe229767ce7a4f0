import type { Clock } from '../../lib/controller/clock.ts'
import type { Logger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { ProxySettings } from '../../lib/kube/proxy.ts'

/** What registration works with. */
export interface RegistrationOptions {
  /** The agent's own cluster. */
  readonly client: KubeClient
  /** The agent's namespace there: its Secrets and its ConfigMap. */
  readonly namespace: string
  /** HOSTNAME: told to the hub as the pod that registered; empty to tell nothing. */
  readonly podName: string
  /** Proxy of the environment, for the way to the hub. */
  readonly proxy?: ProxySettings | undefined
  readonly clock: Clock
  readonly log: Logger
  /** In [0, 1), for jitter. */
  random(): number
  /** Cryptographically strong; that of the machine when unset. */
  readonly randomBytes?: ((size: number) => Uint8Array) | undefined
}
