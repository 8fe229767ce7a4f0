// The status that GitRepo and HelmOp share: what became of their bundles on all clusters (spec 8.5, 8.6).
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import { deploymentMessage, deploymentState, stateRank } from '../api/state.ts'
import type { Condition, StatusBase } from '../api/status.ts'
import { collectSummary, sumResourceCounts } from '../api/summary.ts'
import { getCondition, setCondition } from '../lib/controller/conditions.ts'
import { isSame } from '../lib/controller/status.ts'
import type { Informer, InformerEvent } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { changesSums, live } from './deployment-change.ts'
import { clusterId, countsPerCluster, foldResources } from './resources.ts'
import type { RollUpController } from './roll-up.ts'
import { ratio, sortedBy, summaryEntry, withReady } from './summary-entries.ts'

/** The fields of the status that are folded here. */
export const MAKER_FIELDS = [
  'conditions',
  'readyClusters',
  'desiredReadyClusters',
  'summary',
  'display',
  'resources',
  'resourceCounts',
  'perClusterResourceCounts',
] as const

/** Longest message of a display, in characters. */
const MAX_MESSAGE = 4_096

const uid = (object: KubeObject): string => object.metadata.uid ?? ''

/**
 * The shared status of a GitRepo or HelmOp. `conditions` are those it has; Ready becomes what the deployments say, or what the first bundle
 * (by uid) says that is not ready: a bundle with an error may have no deployments at all.
 */
export function foldMaker(
  conditions: Condition[] | undefined,
  bundles: readonly Bundle[],
  deployments: readonly BundleDeployment[],
  now: number,
): Required<StatusBase> {
  const counted = sortedBy(live(deployments), uid)
  const summary = collectSummary(counted.map(summaryEntry))
  const resources = foldResources(counted)
  return {
    ...clusterCounts(counted),
    summary,
    display: { readyBundleDeployments: ratio(summary.ready, summary.desiredReady), ...worst(counted) },
    conditions: withBundles(conditions, bundles, now) ?? withReady(conditions, summary, now),
    resources,
    resourceCounts: sumResourceCounts(counted.map(({ status }) => status?.resourceCounts)),
    perClusterResourceCounts: countsPerCluster(counted),
  }
}

/** A cluster is ready when all deployments to it are. */
function clusterCounts(deployments: readonly BundleDeployment[]): { readyClusters: number; desiredReadyClusters: number } {
  const labelled = deployments.filter(({ metadata }) => metadata.labels?.[CLUSTER_LABEL] && metadata.labels[CLUSTER_NAMESPACE_LABEL])
  const clusters = Map.groupBy(labelled, clusterId)
  const ready = [...clusters.values()].filter((ofCluster) => ofCluster.every((deployment) => deploymentState(deployment) === 'Ready'))
  return { readyClusters: ready.length, desiredReadyClusters: clusters.size }
}

/** State and message of the first deployment in the worst state; nothing if all are ready. */
function worst(deployments: readonly BundleDeployment[]): { state?: string; message?: string; error?: boolean } {
  let found: { state: string; deployment: BundleDeployment } | undefined
  for (const deployment of deployments) {
    const state = deploymentState(deployment)
    if (stateRank(state) > stateRank(found?.state)) found = { state, deployment }
  }
  if (!found || found.state === 'Ready') return {}
  const message = deploymentMessage(found.deployment).slice(0, MAX_MESSAGE).toWellFormed()
  return { state: found.state, ...(message ? { message, error: true } : {}) }
}

function withBundles(conditions: Condition[] | undefined, bundles: readonly Bundle[], now: number): Condition[] | undefined {
  const failing = sortedBy(bundles, uid)
    .map((bundle) => getCondition(bundle.status?.conditions, 'Ready'))
    .find((ready) => ready?.status === 'False')
  if (!failing) return undefined
  return setCondition(conditions, { type: 'Ready', status: 'False', reason: failing.reason, message: failing.message }, now)
}

/** Lets the controller follow the bundles and deployments of each maker; `makerKey` finds it by their labels. */
export function followMakers(
  { follow }: RollUpController,
  informers: { bundles: Informer<Bundle>; bundleDeployments: Informer<BundleDeployment> },
  makerKey: (object: KubeObject) => string | undefined,
): void {
  const keys = (event: InformerEvent<KubeObject>): string[] => {
    const found = [event.object, ...(event.old ? [event.old] : [])].map(makerKey).filter((key) => key !== undefined)
    return [...new Set(found)]
  }
  follow(informers.bundleDeployments, (event) => (changesSums(event) ? keys(event) : []))
  follow(informers.bundles, (event) => (changesReady(event) ? keys(event) : []))
}

function changesReady({ type, object, old }: InformerEvent<Bundle>): boolean {
  if (type !== 'modified' || !old || !isSame(object.metadata.labels, old.metadata.labels)) return true
  return !isSame(getCondition(object.status?.conditions, 'Ready'), getCondition(old.status?.conditions, 'Ready'))
}
