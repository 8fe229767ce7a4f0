// What the targets of a bundle depend on, read from the cluster: once, and only kinds that matter to it.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { BundleNamespaceMapping } from '../../api/bundle-namespace-mapping.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterGroup } from '../../api/cluster-group.ts'
import type { GitRepoRestriction } from '../../api/git-repo-restriction.ts'
import { BUNDLE_DEPLOYMENT, BUNDLE_NAMESPACE_MAPPING, CLUSTER, CLUSTER_GROUP, GIT_REPO_RESTRICTION, POLICY } from '../../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL } from '../../api/labels.ts'
import type { Policy } from '../../api/policy.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { candidatesOf, type InvalidMapping, namespacesOf } from '../../target/candidates.ts'
import { type Candidate, refersToGroups } from '../../target/match.ts'
import { listIfAllowed } from '../cluster.ts'

export interface World {
  readonly candidates: readonly Candidate[]
  readonly invalidMappings: readonly InvalidMapping[]
  readonly policies: readonly Policy[]
  readonly restrictions: readonly GitRepoRestriction[]
  /** deployments that the bundle has now */
  readonly deployments: readonly BundleDeployment[]
}

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }

/** Reads the world of a bundle; its own namespace must be set. */
export async function readWorld(client: KubeClient, bundle: Bundle, signal: AbortSignal): Promise<World> {
  const { name, namespace = '' } = bundle.metadata
  const here = { namespace, signal }
  const labelSelector = `${BUNDLE_NAME_LABEL}=${name},${BUNDLE_NAMESPACE_LABEL}=${namespace}`
  const [mappings, policies, restrictions, deployments] = await Promise.all([
    listIfAllowed<BundleNamespaceMapping>(client, BUNDLE_NAMESPACE_MAPPING, here),
    listIfAllowed<Policy>(client, POLICY, here),
    listIfAllowed<GitRepoRestriction>(client, GIT_REPO_RESTRICTION, here),
    listIfAllowed<BundleDeployment>(client, BUNDLE_DEPLOYMENT, { labelSelector, signal }),
  ])
  const all = mappings.length > 0 ? (await client.list<KubeObject>(NAMESPACE, { metadataOnly: true, signal })).items : []
  const { namespaces, invalid } = namespacesOf(bundle, mappings, all)
  // clusters of other namespaces only matter when a mapping leads there
  const scope = namespaces.length > 1 ? { signal } : here
  const clusters = (await client.list<Cluster>(CLUSTER, scope)).items
  const groups = refersToGroups(bundle.spec) ? (await client.list<ClusterGroup>(CLUSTER_GROUP, scope)).items : []
  const candidates = candidatesOf(namespaces, inNamespace(clusters), inNamespace(groups))
  return { candidates, invalidMappings: invalid, policies, restrictions, deployments }
}

function inNamespace<T extends KubeObject>(objects: readonly T[]): (namespace: string) => readonly T[] {
  const byNamespace = Map.groupBy(objects, ({ metadata }) => metadata.namespace ?? '')
  return (namespace) => byNamespace.get(namespace) ?? []
}
