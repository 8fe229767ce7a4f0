// What a Cluster says about the deployments in its namespace (spec 2.6).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import { deploymentState } from '../api/state.ts'
import { collectSummary, summaryState, sumResourceCounts } from '../api/summary.ts'
import { setCondition, trueCondition } from '../lib/controller/conditions.ts'
import type { Controller } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { changesSums, live } from './deployment-change.ts'
import { BY_CLUSTER_NAMESPACE, BY_GIT_REPO, BY_HELM_OP, gitRepoKey, helmOpKey } from './informers.ts'
import { createRollUp, type StatusControllerDeps, USUAL_PACE } from './roll-up.ts'
import { ratio, sortedBy, summaryEntry, withReady } from './summary-entries.ts'

const OWNED = [
  'conditions',
  'summary',
  'resourceCounts',
  'readyGitRepos',
  'desiredReadyGitRepos',
  'readyHelmOps',
  'desiredReadyHelmOps',
  'display',
] as const

/** Tells whether a GitRepo or HelmOp of that key exists. */
export interface Makers {
  gitRepoExists(key: string): boolean
  helmOpExists(key: string): boolean
}

/** The fields of a Cluster's status that come from its deployments. A cluster that has never called home shows `WaitCheckIn`. */
export function foldCluster(
  cluster: Cluster,
  deployments: readonly BundleDeployment[],
  makers: Makers,
  now: number,
): Pick<ClusterStatus, (typeof OWNED)[number]> {
  const counted = sortedBy(live(deployments), (deployment) => deployment.metadata.name)
  const summary = collectSummary(counted.map(summaryEntry))
  const gitRepos = readyMakers(counted, gitRepoKey, makers.gitRepoExists)
  const byHelmOps = counted.filter((deployment) => gitRepoKey(deployment) === undefined) // with both labels it is the GitRepo's
  const helmOps = readyMakers(byHelmOps, helmOpKey, makers.helmOpExists)
  const state = cluster.status?.agent?.lastSeen ? summaryState(summary) : 'WaitCheckIn'
  return {
    conditions: setCondition(withReady(cluster.status?.conditions, summary, now), trueCondition('Processed'), now),
    summary,
    resourceCounts: sumResourceCounts(counted.map((deployment) => deployment.status?.resourceCounts)),
    readyGitRepos: gitRepos.ready,
    desiredReadyGitRepos: gitRepos.desired,
    readyHelmOps: helmOps.ready,
    desiredReadyHelmOps: helmOps.desired,
    display: { readyBundles: ratio(summary.ready, summary.desiredReady), ...(state ? { state } : {}) },
  }
}

/** Counts makers that exist. One is ready on the cluster as soon as any of its deployments there is: dashboards know no other rule (spec 2.6). */
function readyMakers(
  deployments: readonly BundleDeployment[],
  maker: (deployment: BundleDeployment) => string | undefined,
  exists: (key: string) => boolean,
): { ready: number; desired: number } {
  const ready = new Map<string, boolean>()
  for (const deployment of deployments) {
    const key = maker(deployment)
    if (key !== undefined) ready.set(key, ready.get(key) === true || deploymentState(deployment) === 'Ready')
  }
  const existing = [...ready].filter(([key]) => exists(key))
  return { ready: existing.filter(([, isReady]) => isReady).length, desired: existing.length }
}

/** Keeps the sums in `Cluster.status` up to date. */
export function createClusterStatusController(deps: StatusControllerDeps): Controller {
  const { bundleDeployments, clusters, gitRepos, helmOps } = deps.informers
  const makers: Makers = { gitRepoExists: (key) => exists(gitRepos, key), helmOpExists: (key) => exists(helmOps, key) }
  const { controller, follow } = createRollUp(deps, {
    name: 'cluster-status',
    informer: clusters,
    owned: OWNED,
    pace: USUAL_PACE,
    fold(cluster, now) {
      const namespace = cluster.status?.namespace
      if (!namespace) return undefined
      return { status: foldCluster(cluster, bundleDeployments.list(namespace), makers, now) }
    },
  })
  const clustersOf = (namespace: string | undefined): string[] => clusters.by(BY_CLUSTER_NAMESPACE, namespace ?? '').map(keyOf)
  follow(bundleDeployments, (event) => (changesSums(event) ? clustersOf(event.object.metadata.namespace) : []))
  // Only coming and going of makers counts; which clusters are concerned is known from their deployments.
  follow(gitRepos, ({ type, object }) => (type === 'modified' ? [] : clustersWith(BY_GIT_REPO, keyOf(object))))
  follow(helmOps, ({ type, object }) => (type === 'modified' ? [] : clustersWith(BY_HELM_OP, keyOf(object))))

  function clustersWith(index: string, key: string): string[] {
    const namespaces = new Set(bundleDeployments.by(index, key).map((deployment) => deployment.metadata.namespace))
    return [...namespaces].flatMap(clustersOf)
  }

  return controller
}

function exists<T extends KubeObject>(informer: Informer<T>, key: string): boolean {
  const { name, namespace } = parseKey(key)
  return informer.get(name, namespace) !== undefined
}
