// The caches that statuses are folded from, and how objects refer to each other.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import type { Content } from '../api/content.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_GROUP, CONTENT, GIT_REPO, HELM_OP } from '../api/kinds.ts'
import { BUNDLE_NAMESPACE_LABEL, CONTENT_NAME_LABEL, HELM_OP_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import type { Informer, InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'

/** Caches of all objects of a kind, whatever their shard: sums and reference counts must not miss any. */
export interface StatusInformers {
  readonly bundleDeployments: Informer<BundleDeployment>
  readonly bundles: Informer<Bundle>
  readonly clusters: Informer<Cluster>
  readonly clusterGroups: Informer<ClusterGroup>
  readonly gitRepos: Informer<GitRepo>
  readonly helmOps: Informer<HelmOp>
  readonly contents: Informer<Content>
}

/**
 * How objects are made smaller for the cache: give the functions that other users of the factory give, and the caches are shared.
 * Of bundles only metadata and status are read here; of deployments the ids of the spec too; of contents metadata and status.
 */
export interface Projections {
  bundle?: (bundle: Bundle) => Bundle
  bundleDeployment?: (deployment: BundleDeployment) => BundleDeployment
  /** Default: {@link withoutBytes}. */
  content?: (content: Content) => Content
}

/** The caches of a factory, with the indexes that are asked for here. A cache that nobody takes is not made: it would cost memory, and a right to watch. */
export function createStatusInformers(factory: InformerFactory, projections: Projections = {}): StatusInformers {
  const { bundle, bundleDeployment, content = withoutBytes } = projections
  return {
    get bundleDeployments() {
      const project = bundleDeployment ? { project: bundleDeployment } : {}
      return factory.informer<BundleDeployment>({ type: BUNDLE_DEPLOYMENT, indexes: DEPLOYMENT_INDEXES, ...project })
    },
    get bundles() {
      return factory.informer<Bundle>({ type: BUNDLE, indexes: BUNDLE_INDEXES, ...(bundle ? { project: bundle } : {}) })
    },
    get clusters() {
      return factory.informer<Cluster>({ type: CLUSTER, indexes: CLUSTER_INDEXES })
    },
    get clusterGroups() {
      return factory.informer<ClusterGroup>({ type: CLUSTER_GROUP })
    },
    get gitRepos() {
      return factory.informer<GitRepo>({ type: GIT_REPO })
    },
    get helmOps() {
      return factory.informer<HelmOp>({ type: HELM_OP })
    },
    get contents() {
      return factory.informer<Content>({ type: CONTENT, project: content })
    },
  }
}

/** Names of the indexes: the caches are shared, so they say whose they are. */
export const BY_GIT_REPO = 'status/git-repo'
export const BY_HELM_OP = 'status/helm-op'
export const BY_CONTENT = 'status/content'
export const BY_CLUSTER_NAMESPACE = 'status/cluster-namespace'

/** Key of the GitRepo that made the object, undefined if none did. */
export function gitRepoKey(object: KubeObject): string | undefined {
  return ownerKey(object, REPO_NAME_LABEL)
}

/** Key of the HelmOp that made the object, undefined if none did. */
export function helmOpKey(object: KubeObject): string | undefined {
  return ownerKey(object, HELM_OP_LABEL)
}

/** Bundles live beside their maker, deployments carry the namespace in a label. */
function ownerKey({ kind, metadata }: KubeObject, label: string): string | undefined {
  const name = metadata.labels?.[label]
  const namespace = kind === 'Bundle' ? metadata.namespace : metadata.labels?.[BUNDLE_NAMESPACE_LABEL]
  return name && namespace ? `${namespace}/${name}` : undefined
}

/** Names of the contents that a deployment counts for (`counted`) and that it may still deploy, now or next. */
export function contentsOf({ metadata, spec }: BundleDeployment): { counted: string | undefined; used: readonly string[] } {
  const counted = metadata.labels?.[CONTENT_NAME_LABEL] || undefined
  const ids = [spec.deploymentID, spec.stagedDeploymentID].map((id) => (id ?? '').split(':', 1)[0] ?? '')
  return { counted, used: [...new Set([counted ?? '', ...ids])].filter((name) => name !== '') }
}

const list = (value: string | undefined): readonly string[] => (value ? [value] : [])

const DEPLOYMENT_INDEXES = {
  [BY_GIT_REPO]: (deployment: BundleDeployment) => list(gitRepoKey(deployment)),
  [BY_HELM_OP]: (deployment: BundleDeployment) => list(helmOpKey(deployment)),
  [BY_CONTENT]: (deployment: BundleDeployment) => contentsOf(deployment).used,
}

const BUNDLE_INDEXES = {
  [BY_GIT_REPO]: (bundle: Bundle) => list(gitRepoKey(bundle)),
  [BY_HELM_OP]: (bundle: Bundle) => list(helmOpKey(bundle)),
}

const CLUSTER_INDEXES = {
  /** The namespace of the cluster's deployments. */
  [BY_CLUSTER_NAMESPACE]: (cluster: Cluster) => list(cluster.status?.namespace),
}

/** A Content without its bytes. */
function withoutBytes(content: Content): Content {
  const { content: _bytes, ...rest } = content
  return rest
}
