import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { onNewest } from '../lib/controller/on-newest.ts'
import type { RegistrationDeps } from './settings.ts'

/** The status that follows from the newest version of a cluster. */
export type StatusChange = (newest: Cluster) => ClusterStatus

/**
 * Writes a status that must not get lost, such as that of an installation that has just been made: others write a cluster's status too, agents among them, so
 * after a conflict it is computed again from the newest version. Returns that version; throws a WaitingError if the cluster is gone.
 */
export async function changeStatus(
  { client, statuses }: Pick<RegistrationDeps, 'client' | 'statuses'>,
  cluster: Cluster,
  next: StatusChange,
  owned: readonly string[],
): Promise<Cluster> {
  const written = await onNewest(client, cluster, async (newest) => {
    await statuses.write(newest, next(statuses.latest(newest)), { owned })
    return statuses.latest(newest)
  })
  if (!written) throw new WaitingError(`cluster ${keyOf(cluster)} was deleted meanwhile`)
  return written
}
