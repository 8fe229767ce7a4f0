// Lists that the cluster merges element by element: what others add to an element is theirs. The other lists of its own kinds have one owner.
import type { KubeObject } from '../../lib/kube/types.ts'

const OF_PODS: ReadonlySet<string> = new Set([
  'containers',
  'initContainers',
  'ephemeralContainers',
  'env',
  'ports',
  'volumeMounts',
  'volumeDevices',
  'volumes',
  'imagePullSecrets',
  'hostAliases',
  'topologySpreadConstraints',
])
const OF_WEBHOOKS: ReadonlySet<string> = new Set(['webhooks', 'matchConditions'])
const NONE: ReadonlySet<string> = new Set()

/** By `group/Kind`; kinds of these groups that are not named have none. */
const MERGED: Readonly<Record<string, ReadonlySet<string>>> = {
  '/Pod': OF_PODS,
  '/PodTemplate': OF_PODS,
  '/ReplicationController': OF_PODS,
  '/Service': new Set(['ports']),
  '/ServiceAccount': new Set(['secrets', 'imagePullSecrets']),
  'apps/DaemonSet': OF_PODS,
  'apps/Deployment': OF_PODS,
  'apps/ReplicaSet': OF_PODS,
  'apps/StatefulSet': OF_PODS,
  'batch/CronJob': OF_PODS,
  'batch/Job': OF_PODS,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': OF_WEBHOOKS,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': OF_WEBHOOKS,
}
const GROUPS: readonly string[] = [
  '',
  'admissionregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'discovery.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]

/** Whether lists under a key are merged in objects of this kind. In custom resources all are taken to be: their controllers fill in elements. */
export function mergedLists({ apiVersion, kind }: KubeObject): (key: string) => boolean {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
  if (!GROUPS.includes(group)) return () => true
  const merged = MERGED[`${group}/${kind}`] ?? NONE
  return (key) => merged.has(key)
}
