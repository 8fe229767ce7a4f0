// The objects of a hub, found by name. Made once for an explanation.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { BundleNamespaceMapping } from '../api/bundle-namespace-mapping.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import type { Schedule } from '../api/schedule.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { NamespaceLike } from '../target/candidates.ts'
import { tidy } from './tidy.ts'
import type { ExplainObjects } from './types.ts'

export interface World {
  readonly now: number
  readonly gitRepos: Shelf<GitRepo>
  readonly helmOps: Shelf<HelmOp>
  readonly bundles: Shelf<Bundle>
  readonly deployments: Shelf<BundleDeployment>
  readonly clusters: Shelf<Cluster>
  readonly groups: Shelf<ClusterGroup>
  readonly mappings: Shelf<BundleNamespaceMapping>
  readonly registrations: Shelf<ClusterRegistration>
  readonly schedules: readonly Schedule[]
  readonly namespaces: readonly NamespaceLike[]
  /** Policies and restrictions of a namespace, as `policy/name`. */
  rulesIn(namespace: string): readonly string[]
  /** By the key of their bundle. */
  deploymentsOf(bundleKey: string): readonly BundleDeployment[]
  readonly contents: ReadonlySet<string> | undefined
  readonly checkinIntervalMs: number
}

export interface Shelf<T> {
  readonly all: readonly T[]
  get(name: string, namespace?: string): T | undefined
  in(namespace: string): readonly T[]
}

const CHECKIN_MS = 15 * 60_000

export function createWorld(objects: ExplainObjects, now: number): World {
  const deployments = tidy(objects.bundleDeployments)
  const byBundle = Map.groupBy(deployments, (deployment) => bundleKeyOf(deployment) ?? '')
  const rules = [
    ...tidy(objects.restrictions).map((object) => ({ object, kind: 'gitreporestriction' })),
    ...tidy(objects.policies).map((object) => ({ object, kind: 'policy' })),
  ]
  return {
    now,
    gitRepos: shelf(tidy(objects.gitRepos)),
    helmOps: shelf(tidy(objects.helmOps)),
    bundles: shelf(tidy(objects.bundles)),
    deployments: shelf(deployments),
    clusters: shelf(tidy(objects.clusters)),
    groups: shelf(tidy(objects.clusterGroups)),
    mappings: shelf(tidy(objects.mappings)),
    registrations: shelf(tidy(objects.registrations)),
    schedules: tidy(objects.schedules),
    namespaces: tidy((objects.namespaces ?? []) as readonly KubeObject[]),
    rulesIn: (namespace) =>
      rules.filter(({ object }) => object.metadata.namespace === namespace).map(({ object, kind }) => `${kind}/${object.metadata.name}`),
    deploymentsOf: (key) => byBundle.get(key) ?? [],
    contents: objects.contents,
    checkinIntervalMs: objects.checkinIntervalMs || CHECKIN_MS,
  }
}

function shelf<T extends KubeObject>(all: readonly T[]): Shelf<T> {
  const byName = new Map(all.map((object) => [keyOf(object), object]))
  const byNamespace = Map.groupBy(all, ({ metadata }) => metadata.namespace ?? '')
  return {
    all,
    get: (name, namespace) => byName.get(keyOf({ name, namespace })),
    in: (namespace) => byNamespace.get(namespace) ?? [],
  }
}

/** Key of the bundle that a deployment names. */
export function bundleKeyOf({ metadata }: BundleDeployment): string | undefined {
  const { [BUNDLE_NAME_LABEL]: name, [BUNDLE_NAMESPACE_LABEL]: namespace } = metadata.labels ?? {}
  return name ? keyOf({ name, namespace }) : undefined
}

/** The cluster of a deployment: the one that it names, else the one whose namespace it is in. */
export function clusterOf({ metadata }: BundleDeployment, { clusters }: World): Cluster | undefined {
  const { [CLUSTER_LABEL]: name, [CLUSTER_NAMESPACE_LABEL]: namespace } = metadata.labels ?? {}
  const named = name ? clusters.get(name, namespace) : undefined
  return named ?? clusters.all.find(({ status }) => status?.namespace !== undefined && status.namespace === metadata.namespace)
}

/** What a deployment's cluster is called, also when its object is not known. */
export function clusterNameOf(deployment: BundleDeployment | undefined, cluster: Cluster | undefined): string {
  if (cluster) return keyOf(cluster)
  const { [CLUSTER_LABEL]: name, [CLUSTER_NAMESPACE_LABEL]: namespace } = deployment?.metadata.labels ?? {}
  return name ? keyOf({ name, namespace }) : (deployment?.metadata.namespace ?? 'unknown')
}
