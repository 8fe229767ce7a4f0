// Which clusters a schedule is for (spec 1.7, 4.3): those that any of its targets selects.
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { CLUSTER_DISPLAY_NAME_LABEL } from '../api/labels.ts'
import type { ScheduleTarget } from '../api/schedule.ts'
import { compileSelector, type LabelMatcher } from '../lib/kube/selectors.ts'

/** A cluster, and the groups of its namespace that it is a member of. */
export interface Member {
  readonly cluster: Cluster
  readonly groups: readonly ClusterGroup[]
}

/** Compiles targets. Throws InvalidSelectorError. */
export function compileTargets(targets: readonly ScheduleTarget[] | null | undefined): (member: Member) => boolean {
  const tests = (targets ?? []).map(compileTarget)
  return ({ cluster, groups }) => {
    const views = groups.length > 0 ? groups : [undefined]
    return tests.some((test) => views.some((group) => test(cluster, group)))
  }
}

type Test = (cluster: Cluster, group: ClusterGroup | undefined) => boolean

/** All criteria of a target must hold, under one and the same group; a target without any selects nothing. */
function compileTarget({ clusterName, clusterSelector, clusterGroup, clusterGroupSelector }: ScheduleTarget): Test {
  const tests: Test[] = []
  if (clusterName) tests.push(({ metadata }) => [metadata.name, metadata.labels?.[CLUSTER_DISPLAY_NAME_LABEL]].includes(clusterName))
  if (clusterGroup) tests.push((_, group) => group?.metadata.name === clusterGroup)
  if (clusterSelector) tests.push(byLabels(compileSelector(clusterSelector), (cluster) => cluster))
  if (clusterGroupSelector) tests.push(byLabels(compileSelector(clusterGroupSelector), (_, group) => group))
  return (cluster, group) => tests.length > 0 && tests.every((test) => test(cluster, group))
}

function byLabels(matches: LabelMatcher, pick: (...args: Parameters<Test>) => Cluster | ClusterGroup | undefined): Test {
  return (cluster, group) => matches(pick(cluster, group)?.metadata.labels ?? {})
}

/** False if it makes no difference to these targets which groups a cluster is a member of. */
export function refersToGroups(targets: readonly ScheduleTarget[] | null | undefined): boolean {
  return (targets ?? []).some(({ clusterGroup, clusterGroupSelector }) => clusterGroup || clusterGroupSelector)
}

/** The clusters of a namespace, those that are being deleted left out, with their groups. Groups with an invalid selector have no members. */
export function membersOf(clusters: readonly Cluster[], groups: readonly ClusterGroup[]): Member[] {
  const compiled = groups.map((group) => ({ group, matches: membership(group) }))
  return clusters
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map((cluster) => ({
      cluster,
      groups: compiled.filter(({ matches }) => matches(cluster.metadata.labels ?? {})).map(({ group }) => group),
    }))
}

function membership({ spec }: ClusterGroup): LabelMatcher {
  try {
    return compileSelector(spec?.selector)
  } catch {
    return () => false // the group itself says what is wrong with it
  }
}
