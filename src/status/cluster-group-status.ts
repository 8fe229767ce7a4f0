// What a ClusterGroup says about its clusters: sums of their statuses (spec 2.6).
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup, ClusterGroupStatus } from '../api/cluster-group.ts'
import type { BundleSummary } from '../api/status.ts'
import { addSummaries, isSummaryReady, summaryState, sumResourceCounts } from '../api/summary.ts'
import { errorCondition, setCondition } from '../lib/controller/conditions.ts'
import type { Controller } from '../lib/controller/controller.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { isSame } from '../lib/controller/status.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import { compileSelector, InvalidSelectorError, matchesSelector } from '../lib/kube/selectors.ts'
import { createRollUp, type StatusControllerDeps, USUAL_PACE } from './roll-up.ts'
import { ratio, sortedBy, withReady } from './summary-entries.ts'

const OWNED = ['conditions', 'summary', 'resourceCounts', 'clusterCount', 'nonReadyClusterCount', 'nonReadyClusters', 'display'] as const
type Owned = Pick<ClusterGroupStatus, (typeof OWNED)[number]>

/** How many clusters that are not ready are named. */
const MAX_NAMED = 10

/**
 * The status of a group. `clusters` are all of its namespace; without selector none belongs to it. With a selector that cannot be read
 * the numbers stay as they are, and Processed says what is wrong.
 */
export function foldClusterGroup(group: ClusterGroup, clusters: readonly Cluster[], now: number): Owned {
  try {
    return sums(group, members(group, clusters), now)
  } catch (error) {
    if (!(error instanceof InvalidSelectorError)) throw error
    return { ...group.status, conditions: setCondition(group.status?.conditions, errorCondition('Processed', error), now) }
  }
}

function members(group: ClusterGroup, clusters: readonly Cluster[]): Cluster[] {
  const selects = compileSelector(group.spec.selector) // also without clusters: the selector may be invalid
  return sortedBy(
    clusters.filter((cluster) => selects(cluster.metadata.labels)),
    (cluster) => cluster.metadata.name,
  )
}

function sums(group: ClusterGroup, clusters: readonly Cluster[], now: number): Owned {
  const summary = clusters.reduce<BundleSummary>((sum, cluster) => addSummaries(sum, cluster.status?.summary ?? {}), {
    ready: 0,
    desiredReady: 0,
  })
  const nonReady = clusters.filter((cluster) => !isSummaryReady(cluster.status?.summary)).map((cluster) => cluster.metadata.name)
  const named = nonReady.slice(0, MAX_NAMED)
  const state = summaryState(summary)
  const readyClusters = ratio(clusters.length - nonReady.length, clusters.length)
  return {
    conditions: setCondition(withReady(group.status?.conditions, summary, now), errorCondition('Processed', undefined), now),
    summary,
    resourceCounts: sumResourceCounts(clusters.map((cluster) => cluster.status?.resourceCounts)),
    clusterCount: clusters.length,
    nonReadyClusterCount: nonReady.length,
    ...(named.length > 0 ? { nonReadyClusters: named } : {}),
    display: {
      readyClusters: named.length > 0 ? `${readyClusters} (${named.join(',')})` : readyClusters,
      readyBundles: ratio(summary.ready, summary.desiredReady),
      ...(state ? { state } : {}),
    },
  }
}

/** Keeps `ClusterGroup.status` up to date. */
export function createClusterGroupStatusController(deps: StatusControllerDeps): Controller {
  const { clusters, clusterGroups } = deps.informers
  const { controller, follow } = createRollUp(deps, {
    name: 'clustergroup-status',
    informer: clusterGroups,
    owned: OWNED,
    pace: USUAL_PACE,
    fold: (group, now) => ({ status: foldClusterGroup(group, clusters.list(group.metadata.namespace), now) }),
  })
  follow(clusters, (event) => {
    if (!changesGroups(event)) return []
    const concerned = [event.object, ...(event.old ? [event.old] : [])]
    return clusterGroups
      .list(event.object.metadata.namespace)
      .filter((group) => concerned.some((cluster) => belongs(group, cluster)))
      .map(keyOf)
  })
  return controller
}

/** Heartbeats and the like do not change a group. */
function changesGroups({ type, object, old }: InformerEvent<Cluster>): boolean {
  if (type !== 'modified' || !old) return true
  if (!isSame(object.metadata.labels, old.metadata.labels)) return true
  return !isSame(object.status?.summary, old.status?.summary) || !isSame(object.status?.resourceCounts, old.status?.resourceCounts)
}

/** A group whose selector cannot be read has nothing to sum up. */
function belongs(group: ClusterGroup, cluster: Cluster): boolean {
  try {
    return matchesSelector(group.spec.selector, cluster.metadata.labels ?? {})
  } catch {
    // the group's own reconcile reports it
    return false
  }
}
