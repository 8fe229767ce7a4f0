// Does a cluster, seen as a member of one of its groups, meet the criteria of a target, a restriction or a partition? (spec 4.3)
import type { BundleSpec } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { CLUSTER_DISPLAY_NAME_LABEL } from '../api/labels.ts'
import { compileSelector } from '../lib/kube/selectors.ts'
import type { LabelSelector } from '../lib/kube/types.ts'

/** What targets, restrictions and partitions have in common. Fields that are empty or absent do not count. */
export interface Criteria {
  clusterName?: string | null | undefined
  clusterGroup?: string | null | undefined
  clusterSelector?: LabelSelector | null | undefined
  clusterGroupSelector?: LabelSelector | null | undefined
}

/** A cluster that a bundle could be deployed to, with the groups it is a member of, sorted by name. */
export interface Candidate {
  readonly cluster: Cluster
  readonly groups: readonly ClusterGroup[]
}

/** True if all criteria that are set hold for the cluster as a member of the group (none: it has no groups). */
export type Matcher = (cluster: Cluster, group: ClusterGroup | undefined) => boolean

const NEVER: Matcher = () => false

/** False if it makes no difference to a bundle which groups a cluster is a member of. */
export function refersToGroups({ targets, targetRestrictions, rolloutStrategy }: BundleSpec): boolean {
  const criteria: Criteria[] = [...(targets ?? []), ...(targetRestrictions ?? []), ...(rolloutStrategy?.partitions ?? [])]
  return criteria.some(({ clusterGroup, clusterGroupSelector }) => clusterGroup || clusterGroupSelector)
}

/** Compiles criteria; throws InvalidSelectorError. Without any criterion nothing matches. */
export function compileCriteria(criteria: Criteria): Matcher {
  const tests = [
    byClusterName(criteria.clusterName),
    byGroupName(criteria.clusterGroup),
    byGroupLabels(criteria.clusterGroupSelector),
    byClusterLabels(criteria.clusterSelector),
  ].filter((test) => test !== undefined)
  if (tests.length === 0) return NEVER
  return (cluster, group) => tests.every((test) => test(cluster, group))
}

/** True if the matcher holds under at least one group of the cluster; clusters without groups are looked at once. */
export function matchesAnyGroup(matcher: Matcher, { cluster, groups }: Candidate): boolean {
  if (groups.length === 0) return matcher(cluster, undefined)
  return groups.some((group) => matcher(cluster, group))
}

function byClusterName(name: string | null | undefined): Matcher | undefined {
  if (!name) return undefined
  return ({ metadata }) => metadata.name === name || metadata.labels?.[CLUSTER_DISPLAY_NAME_LABEL] === name
}

function byGroupName(name: string | null | undefined): Matcher | undefined {
  if (!name) return undefined
  return (_, group) => group?.metadata.name === name
}

function byGroupLabels(selector: LabelSelector | null | undefined): Matcher | undefined {
  if (!selector) return undefined
  const matches = compileSelector(selector)
  return (_, group) => matches(group?.metadata.labels ?? {})
}

function byClusterLabels(selector: LabelSelector | null | undefined): Matcher | undefined {
  if (!selector) return undefined
  const matches = compileSelector(selector)
  return ({ metadata }) => matches(metadata.labels ?? {})
}
