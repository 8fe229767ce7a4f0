// Which deployments of a bundle have to go (spec 2.7 step 10). Pure.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import type { Candidate } from '../target/match.ts'
import { isOffSchedule } from './desired.ts'

/**
 * Deployments on clusters that are no targets any more. Those outside of the schedule of their cluster stay until its next window, because the agent
 * would uninstall them; those on a cluster that is being deleted go with its namespace.
 */
export function removalsOf(
  deployments: readonly BundleDeployment[],
  targets: readonly Candidate[],
  findCluster: (name: string, namespace: string) => Cluster | undefined,
): BundleDeployment[] {
  const kept = new Set(targets.map(({ cluster }) => cluster.status?.namespace))
  return deployments.filter((deployment) => {
    const { metadata, spec } = deployment
    if (metadata.deletionTimestamp || kept.has(metadata.namespace)) return false
    const cluster = clusterOf(deployment, findCluster)
    // the deployment itself is not told of windows any more once its cluster is no target
    const isHeld = cluster ? isOffSchedule(cluster) : spec.offSchedule
    return !isHeld && !cluster?.metadata.deletionTimestamp
  })
}

/** The cluster whose namespace the deployment is in. */
function clusterOf(
  { metadata: { labels, namespace } }: BundleDeployment,
  findCluster: (name: string, namespace: string) => Cluster | undefined,
): Cluster | undefined {
  const cluster = findCluster(labels?.[CLUSTER_LABEL] ?? '', labels?.[CLUSTER_NAMESPACE_LABEL] ?? '')
  return cluster?.status?.namespace === namespace ? cluster : undefined
}
