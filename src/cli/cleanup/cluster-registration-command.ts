import type { Cluster } from '../../api/cluster.ts'
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import { CLUSTER, CLUSTER_REGISTRATION } from '../../api/kinds.ts'
import { sleep } from '../../lib/controller/clock.ts'
import { isForbidden } from '../../lib/kube/errors.ts'
import { refOf } from '../../lib/kube/paths.ts'
import { type Call, defineCommand } from '../command.ts'
import { NAMESPACE_FLAG } from '../flags.ts'
import { checkedPace, type Pace, pauseMs } from './pace.ts'
import { leftoversOf, type Outdated, outdatedRegistrations } from './registrations.ts'

export const cleanupClusterRegistration = defineCommand({
  description:
    'Deletes ClusterRegistrations that are of no use: those whose cluster is gone, and those older than the newest granted one of their cluster. ' +
    'Registrations that name no cluster yet stay. What was made for them goes with them.',
  flags: {
    namespace: { ...NAMESPACE_FLAG, hidden: true, help: 'for compatibility: all namespaces are cleaned up' },
    min: { type: 'duration', default: 10, help: 'shortest pause between deletions' },
    max: { type: 'duration', default: 3_000, help: 'longest pause between deletions' },
    factor: { type: 'number', default: 1.05, help: 'how much longer each pause may be than the one before' },
  },
  examples: [['fleet cleanup clusterregistration --min 100ms --max 10s', 'be gentle to a busy API server']],
  async run(call) {
    const { flags, io, signal } = call
    const pace = checkedPace(flags)
    const { client } = await call.cluster()
    // in this order: a cluster that is made meanwhile must not look as if it were gone
    const registrations = (await client.list<ClusterRegistration>(CLUSTER_REGISTRATION, { signal })).items
    const clusters = (await client.list<Cluster>(CLUSTER, { signal })).items
    const count = await deleteAll(call, outdatedRegistrations(registrations, clusters), pace)
    await io.print(`deleted ${count} of ${registrations.length} cluster registrations\n`)
  },
})

/** One by one; the others go on when one fails. Returns how many were there to be deleted. */
async function deleteAll(call: Call, outdated: readonly Outdated[], pace: Pace): Promise<number> {
  const { io, clock, signal } = call
  const { client } = await call.cluster()
  const errors: unknown[] = []
  let count = 0
  for (const [index, { registration, reason }] of outdated.entries()) {
    if (index > 0) await sleep(clock, pauseMs(pace, index - 1, Math.random()), signal)
    try {
      const { uid } = registration.metadata
      const isDeleted = await client.delete(refOf(registration), { ...(uid ? { uid } : {}), signal })
      if (isDeleted) count++
      io.note(`cluster registration ${registration.metadata.namespace}/${registration.metadata.name} deleted: it was ${reason}`)
      await deleteLeftovers(call, registration)
    } catch (error) {
      signal.throwIfAborted()
      errors.push(error)
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} cluster registrations could not be deleted`)
  return count
}

/** Whoever may not delete them leaves them. */
async function deleteLeftovers(call: Call, registration: ClusterRegistration): Promise<void> {
  const { client } = await call.cluster()
  for (const ref of leftoversOf(registration)) {
    try {
      await client.delete(ref, { signal: call.signal })
    } catch (error) {
      if (!isForbidden(error)) throw error
    }
  }
}
