// Objects for the tests of this folder.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment, BundleDeploymentStatus } from '../api/bundle-deployment.ts'
import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER } from '../api/kinds.ts'
import { BUNDLE_NAMESPACE_LABEL, CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import type { ObjectMeta } from '../lib/kube/types.ts'

export const NOW = Date.UTC(2026, 0, 1)

/** What an agent reports of a deployment that is as it should be. */
export const READY: BundleDeploymentStatus = { appliedDeploymentID: 'id', ready: true, nonModified: true }

/** A deployment of a bundle of the GitRepo `ws/repo` to a cluster of `ws`; without status it waits. */
export function deployment(
  cluster: string,
  bundle: string,
  status?: BundleDeploymentStatus,
  metadata: Partial<ObjectMeta> = {},
): BundleDeployment {
  const labels = { [CLUSTER_LABEL]: cluster, [CLUSTER_NAMESPACE_LABEL]: 'ws', [REPO_NAME_LABEL]: 'repo', [BUNDLE_NAMESPACE_LABEL]: 'ws' }
  return {
    ...BUNDLE_DEPLOYMENT,
    metadata: {
      name: bundle,
      namespace: `cluster-${cluster}`,
      uid: `${cluster}-${bundle}`,
      ...metadata,
      labels: { ...labels, ...metadata.labels },
    },
    spec: { deploymentID: 'id', stagedDeploymentID: 'id' },
    ...(status ? { status } : {}),
  }
}

export function cluster(name: string, status: ClusterStatus = {}, labels: Record<string, string> = {}): Cluster {
  return { ...CLUSTER, metadata: { name, namespace: 'ws', labels }, spec: {}, status: { namespace: `cluster-${name}`, ...status } }
}

/** A bundle with that Ready condition; without message it is ready. */
export function bundle(name: string, message = '', reason?: string): Bundle {
  const ready = { type: 'Ready', status: message ? 'False' : 'True', message, ...(reason ? { reason } : {}) }
  return {
    ...BUNDLE,
    metadata: { name, namespace: 'ws', uid: name, labels: { [REPO_NAME_LABEL]: 'repo' } },
    spec: {},
    status: { conditions: [ready] },
  }
}
