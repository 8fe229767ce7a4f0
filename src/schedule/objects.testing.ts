// Objects for the tests of this folder.
import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { CLUSTER, CLUSTER_GROUP, SCHEDULE } from '../api/kinds.ts'
import type { Schedule, ScheduleSpec, ScheduleStatus } from '../api/schedule.ts'
import type { ObjectMeta } from '../lib/kube/types.ts'

/** An hour from two o'clock on every day in UTC, for all clusters of `ws`. */
export function schedule(name: string, spec: ScheduleSpec = {}, status?: ScheduleStatus, metadata: Partial<ObjectMeta> = {}): Schedule {
  const everyNight = { schedule: '0 0 2 * * ?', duration: '1h', location: 'UTC', targets: { clusters: [{ clusterSelector: {} }] } }
  return { ...SCHEDULE, metadata: { name, namespace: 'ws', ...metadata }, spec: { ...everyNight, ...spec }, ...(status ? { status } : {}) }
}

export function cluster(name: string, labels: Record<string, string> = {}, status: ClusterStatus = {}): Cluster {
  return { ...CLUSTER, metadata: { name, namespace: 'ws', labels }, spec: {}, status }
}

export function group(name: string, matchLabels: Record<string, string>, labels: Record<string, string> = {}): ClusterGroup {
  return { ...CLUSTER_GROUP, metadata: { name, namespace: 'ws', labels }, spec: { selector: { matchLabels } } }
}
