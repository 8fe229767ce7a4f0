// Parts that both daemons are put together from: leader election, probes and metrics.
import type { ElectionConfig } from '../config/election.ts'
import type { BindAddress } from '../config/environment.ts'
import { systemClock } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ManagerOptions } from '../lib/controller/manager.ts'
import { createClient } from '../lib/kube/client.ts'
import type { KubeConnection } from '../lib/kube/connection.ts'
import { runLeaderElected } from '../lib/kube/leader-election.ts'
import { probeRoutes, type RunningServer, serve } from '../server/http.ts'
import { createProcessMetrics, type ProcessMetrics } from '../server/metrics.ts'

interface Candidate {
  readonly namespace: string
  readonly identity: string
  readonly election: ElectionConfig
}

/** Leader election as a manager wants it, or undefined when it is switched off. The lease has a client of its own: renewals wait for nobody. */
export function elect(
  candidate: Candidate,
  { connection, name, log }: { connection: KubeConnection; name: string; log: Logger },
): ManagerOptions['leaderElection'] {
  const { namespace, identity, election } = candidate
  if (!election.enabled) return undefined
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = election
  return async (lead, signal) => {
    const client = createClient(connection)
    try {
      return await runLeaderElected({
        client,
        namespace,
        name,
        identity,
        leaseDurationMs,
        renewDeadlineMs,
        retryPeriodMs,
        clock: systemClock,
        log,
        signal,
        lead,
        onOverrun: () => process.exit(1),
      })
    } finally {
      await client.close()
    }
  }
}

interface Addresses {
  readonly health: BindAddress | undefined
  readonly metrics: BindAddress | undefined
}

export interface ProgramServers {
  /** where controllers count; undefined when metrics are switched off */
  readonly metrics: ProcessMetrics | undefined
  stop(): Promise<void>
}

/** Starts the servers that are switched on. `waitingFor` names what a program that is not ready waits for. */
export async function serveProgram(
  { health, metrics: address }: Addresses,
  waitingFor: () => readonly string[] = () => [],
): Promise<ProgramServers> {
  const running: RunningServer[] = []
  const metrics = address ? createProcessMetrics() : undefined
  if (health) running.push(await serve({ ...health, routes: probeRoutes(waitingFor) }))
  if (address && metrics) running.push(await serve({ ...address, routes: { '/metrics': async () => render(await metrics.render()) } }))
  return { metrics, stop: async () => void (await Promise.all(running.map((server) => server.stop()))) }
}

function render({ text, contentType }: { text: string; contentType: string }) {
  return { status: 200, body: text, contentType }
}
