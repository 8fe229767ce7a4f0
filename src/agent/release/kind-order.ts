// The order in which Helm writes kinds, so that an object finds what it refers to: namespaces first, workloads late, webhooks last.
import type { KubeObject } from '../../lib/kube/types.ts'

const INSTALL_ORDER = [
  'PriorityClass',
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
]

/** Services go before what is behind them, so that nothing is sent to workloads that end; otherwise the reverse, and kinds that nobody knows last. */
const UNINSTALL_ORDER = movedBefore(INSTALL_ORDER.toReversed(), 'Service', 'CronJob')

const INSTALL_RANKS = ranksOf(INSTALL_ORDER)
const UNINSTALL_RANKS = ranksOf(UNINSTALL_ORDER)

/** The objects in the order in which they are installed; kinds that are not known to it come last, by name. Objects of a kind keep their order. */
export function inInstallOrder(objects: readonly KubeObject[]): KubeObject[] {
  return inOrder(objects, INSTALL_RANKS)
}

/** The objects in groups that are written one after the other; those of a group are of one kind and may be written at the same time. */
export function installGroups(objects: readonly KubeObject[]): KubeObject[][] {
  return groupsOf(inInstallOrder(objects))
}

/** The same for removing them. */
export function removalGroups(objects: readonly KubeObject[]): KubeObject[][] {
  return groupsOf(inOrder(objects, UNINSTALL_RANKS))
}

function inOrder(objects: readonly KubeObject[], ranks: ReadonlyMap<string, number>): KubeObject[] {
  const rank = (kind: string): number => ranks.get(kind) ?? ranks.size
  return objects.toSorted((a, b) => {
    if (a.kind === b.kind) return 0
    return rank(a.kind) - rank(b.kind) || (a.kind < b.kind ? -1 : 1)
  })
}

function groupsOf(sorted: readonly KubeObject[]): KubeObject[][] {
  const groups: KubeObject[][] = []
  for (const object of sorted) {
    const last = groups.at(-1)
    if (last?.[0]?.kind === object.kind) last.push(object)
    else groups.push([object])
  }
  return groups
}

function ranksOf(order: readonly string[]): ReadonlyMap<string, number> {
  return new Map(order.map((kind, rank) => [kind, rank]))
}

function movedBefore(order: readonly string[], kind: string, before: string): string[] {
  const rest = order.filter((entry) => entry !== kind)
  return rest.toSpliced(rest.indexOf(before), 0, kind)
}
