// Which deployments of a bundle have to go (spec 2.7 step 10). Pure.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import type { Candidate } from '../target/match.ts'

/**
 * Deployments on clusters that are no targets any more. Those outside of the schedule of their cluster stay, because the agent would uninstall them;
 * those on a cluster that is being deleted go with its namespace.
 */
export function removalsOf(
  deployments: readonly BundleDeployment[],
  targets: readonly Candidate[],
  findCluster: (name: string, namespace: string) => Cluster | undefined,
): BundleDeployment[] {
  const kept = new Set(targets.map(({ cluster }) => cluster.status?.namespace))
  return deployments.filter((deployment) => {
    const { metadata, spec } = deployment
    return !metadata.deletionTimestamp && !kept.has(metadata.namespace) && !spec.offSchedule && !isLeaving(deployment, findCluster)
  })
}

function isLeaving(
  { metadata: { labels, namespace } }: BundleDeployment,
  findCluster: (name: string, namespace: string) => Cluster | undefined,
): boolean {
  const cluster = findCluster(labels?.[CLUSTER_LABEL] ?? '', labels?.[CLUSTER_NAMESPACE_LABEL] ?? '')
  return cluster?.metadata.deletionTimestamp !== undefined && cluster.status?.namespace === namespace
}
