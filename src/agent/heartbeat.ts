// Tells the hub now and then that this agent lives (spec 3.9).
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER } from '../api/kinds.ts'
import { type Clock, sleep } from '../lib/controller/clock.ts'
import { formatTime } from '../lib/controller/conditions.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'

export interface HeartbeatOptions {
  hub: KubeClient
  /** The Cluster object on the hub. */
  cluster: { namespace: string; name: string }
  agentNamespace: string
  /** Milliseconds; 0 is the default of 15 minutes. */
  intervalMs: number
  /** Secret on the hub that the token in use comes from; part of each report. */
  credential?: string | undefined
  /** Told what the hub answers: the Cluster as it is now. Must not throw. */
  answered?: ((cluster: Cluster, signal: AbortSignal) => Promise<void>) | undefined
  clock: Clock
  log: Logger
}

const FIRST_MS = 15_000
const DEFAULT_INTERVAL_MS = 900_000
const LONGEST_RETRY_MS = 60_000

/** Reports until the signal is aborted; what the hub does not take is tried again soon. */
export async function runHeartbeat(
  { hub, cluster, agentNamespace, intervalMs, credential, answered, clock, log }: HeartbeatOptions,
  signal: AbortSignal,
): Promise<void> {
  const interval = intervalMs || DEFAULT_INTERVAL_MS
  let pause = Math.min(FIRST_MS, interval)
  while (await paused(pause)) {
    try {
      const agent = { lastSeen: formatTime(clock.now()), namespace: agentNamespace, ...(credential ? { credential } : {}) }
      const answer = await hub.patch<Cluster>({ ...CLUSTER, ...cluster }, { status: { agent } }, { type: 'merge', subresource: 'status' })
      pause = interval
      await answered?.(answer, signal)
    } catch (error) {
      pause = Math.min(LONGEST_RETRY_MS, interval)
      log.warn({ cluster: cluster.name, retryAfterMs: pause, err: error }, 'hub did not take the heartbeat')
    }
  }

  /** False when the signal came first. */
  function paused(ms: number): Promise<boolean> {
    return sleep(clock, ms, signal).then(
      () => true,
      () => false,
    )
  }
}
