// The caches that the bundle controller reads, with its own writes on top where it writes.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { BundleNamespaceMapping } from '../api/bundle-namespace-mapping.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import type { GitRepoRestriction } from '../api/git-repo-restriction.ts'
import { BUNDLE_NAMESPACE_MAPPING, CLUSTER, CLUSTER_GROUP, GIT_REPO_RESTRICTION, POLICY } from '../api/kinds.ts'
import type { Policy } from '../api/policy.ts'
import { ociSecrets, type StoredSecret } from '../bundle/oci-secrets.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { Informer, InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { BY_BUNDLE, bundleCache, bundleKeys, deploymentCache } from './indexes.ts'
import { createNewest, type Newest } from './newest.ts'
import { bundleSecrets, type DigestedSecret, deploymentSecrets } from './secrets.ts'

export interface Caches {
  readonly bundles: Informer<Bundle>
  readonly deployments: Informer<BundleDeployment>
  readonly clusters: Informer<Cluster>
  readonly groups: Informer<ClusterGroup>
  readonly mappings: Informer<BundleNamespaceMapping>
  readonly namespaces: Informer<KubeObject>
  readonly policies: Informer<Policy>
  readonly restrictions: Informer<GitRepoRestriction>
  /** Values of bundles. */
  readonly bundleSecrets: Informer<DigestedSecret>
  /** Values of deployments. */
  readonly deploymentSecrets: Informer<DigestedSecret>
  /** Where contents lie in registries. */
  readonly ociSecrets: Informer<StoredSecret>
  readonly newest: {
    readonly bundles: Newest<Bundle>
    readonly deployments: Newest<BundleDeployment>
    readonly deploymentSecrets: Newest<DigestedSecret>
  }
}

export function createCaches(informers: InformerFactory, clock: Clock): Caches {
  const bundles = informers.informer(bundleCache)
  const deployments = informers.informer(deploymentCache)
  const secretsOfDeployments = informers.informer(deploymentSecrets)
  return {
    bundles,
    deployments,
    clusters: informers.informer<Cluster>({ type: CLUSTER }),
    groups: informers.informer<ClusterGroup>({ type: CLUSTER_GROUP }),
    mappings: informers.informer<BundleNamespaceMapping>({ type: BUNDLE_NAMESPACE_MAPPING }),
    namespaces: informers.informer({ type: { apiVersion: 'v1', kind: 'Namespace' }, metadataOnly: true }),
    policies: informers.informer<Policy>({ type: POLICY }),
    restrictions: informers.informer<GitRepoRestriction>({ type: GIT_REPO_RESTRICTION }),
    bundleSecrets: informers.informer(bundleSecrets),
    deploymentSecrets: secretsOfDeployments,
    ociSecrets: informers.informer(ociSecrets),
    newest: {
      bundles: createNewest(bundles, clock),
      deployments: createNewest(deployments, clock),
      deploymentSecrets: createNewest(secretsOfDeployments, clock),
    },
  }
}

/** All deployments of a bundle, also those that were made just now. */
export function deploymentsOf(key: string, { deployments, newest }: Caches): BundleDeployment[] {
  const unseen = newest.deployments.unseen().filter((deployment) => bundleKeys(deployment).includes(key))
  return [...deployments.by(BY_BUNDLE, key).map(newest.deployments.of), ...unseen]
}
