// A small hub for the tests of this folder: everything is deployed and ready, until a test says otherwise.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import { contentIdOf } from '../api/content-id.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, GIT_REPO, HELM_OP } from '../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import type { Condition } from '../api/status.ts'
import type { ExplainObjects } from './types.ts'

export const NOW = Date.UTC(2026, 0, 2, 12)
/** Long enough ago to be worth telling. */
export const SINCE = '2026-01-02T11:00:00Z'
export const SHA = 'a'.repeat(64)
export const CONTENT = contentIdOf(SHA)
export const ID = `${CONTENT}:options`
export const OLD_ID = `${contentIdOf('b'.repeat(64))}:options`

export function condition(type: string, status: 'True' | 'False' | 'Unknown', message = '', reason = ''): Condition {
  return { type, status, lastUpdateTime: SINCE, ...(message ? { message } : {}), ...(reason ? { reason } : {}) }
}

export function gitRepo(spec: Partial<GitRepo['spec']> = {}, status: GitRepo['status'] = {}): GitRepo {
  return {
    ...GIT_REPO,
    metadata: { name: 'repo', namespace: 'ws', generation: 1, creationTimestamp: SINCE },
    spec: { repo: 'https://git.example.com/repo', ...spec },
    status: { commit: 'c0ffee', observedGeneration: 1, gitJobStatus: 'Current', lastPollingTriggered: '2026-01-02T11:59:50Z', ...status },
  }
}

export function helmOp(spec: Partial<HelmOp['spec']> = {}, status: HelmOp['status'] = {}): HelmOp {
  return {
    ...HELM_OP,
    metadata: { name: 'op', namespace: 'ws', creationTimestamp: SINCE },
    spec: { helm: { chart: 'c', version: '1.x' }, ...spec },
    status,
  }
}

export function bundle(
  spec: Bundle['spec'] = {},
  status: Bundle['status'] = {},
  labels: Record<string, string> = { [REPO_NAME_LABEL]: 'repo' },
): Bundle {
  return {
    ...BUNDLE,
    metadata: { name: 'app', namespace: 'ws', generation: 1, labels, creationTimestamp: SINCE },
    spec: { targets: [{ name: 'all', clusterSelector: {} }], ...spec },
    status: { observedGeneration: 1, resourcesSha256Sum: SHA, conditions: [condition('Ready', 'True')], ...status },
  }
}

export function cluster(
  name: string,
  spec: Cluster['spec'] = {},
  status: Cluster['status'] = {},
  labels: Record<string, string> = {},
): Cluster {
  return {
    ...CLUSTER,
    metadata: { name, namespace: 'ws', labels, creationTimestamp: SINCE },
    spec,
    status: { namespace: `cluster-${name}`, agent: { lastSeen: '2026-01-02T11:55:00Z' }, ...status },
  }
}

export function deployment(
  clusterName: string,
  spec: BundleDeployment['spec'] = {},
  status: BundleDeployment['status'] = {},
  name = 'app',
): BundleDeployment {
  return {
    ...BUNDLE_DEPLOYMENT,
    metadata: {
      name,
      namespace: `cluster-${clusterName}`,
      creationTimestamp: SINCE,
      labels: { [BUNDLE_NAME_LABEL]: name, [BUNDLE_NAMESPACE_LABEL]: 'ws', [CLUSTER_LABEL]: clusterName, [CLUSTER_NAMESPACE_LABEL]: 'ws' },
    },
    spec: { deploymentID: ID, stagedDeploymentID: ID, ...spec },
    status: { appliedDeploymentID: ID, ready: true, nonModified: true, release: 'default/app:1', ...status },
  }
}

/** A deployment that the agent has not deployed. */
export function undeployed(
  clusterName: string,
  spec: BundleDeployment['spec'] = {},
  status: BundleDeployment['status'] = {},
): BundleDeployment {
  return deployment(clusterName, spec, { appliedDeploymentID: '', ready: false, release: '', ...status })
}

/** One bundle on clusters `one` and `two`. */
export function hub(changes: Partial<ExplainObjects> = {}): ExplainObjects {
  return {
    gitRepos: [gitRepo()],
    bundles: [bundle()],
    bundleDeployments: [deployment('one'), deployment('two')],
    clusters: [cluster('one'), cluster('two')],
    contents: new Set([CONTENT]),
    ...changes,
  }
}
