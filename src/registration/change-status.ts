import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import { isConflict } from '../lib/kube/errors.ts'
import { refTo } from './object-set.ts'
import type { RegistrationDeps } from './settings.ts'

/** The status that follows from the newest version of a cluster. */
export type StatusChange = (newest: Cluster) => ClusterStatus

/** Others write a cluster's status too, agents among them. */
const ATTEMPTS = 5

/**
 * Writes a status that must not get lost, such as that of an installation that has just been made: after a conflict it is computed again from the newest
 * version. Returns the newest known version.
 */
export async function changeStatus(
  { client, statuses }: Pick<RegistrationDeps, 'client' | 'statuses'>,
  cluster: Cluster,
  next: StatusChange,
  owned: readonly string[],
): Promise<Cluster> {
  let known = cluster
  for (let attempt = 1; ; attempt++) {
    try {
      await statuses.write(known, next(statuses.latest(known)), { owned })
      return statuses.latest(known)
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
      known = await client.get<Cluster>(refTo(cluster))
    }
  }
}
