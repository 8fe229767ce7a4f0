// Which bundles an event is about.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import type { StoredSecret } from '../bundle/oci-secrets.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { isSame } from '../lib/controller/status.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import { matchesSelector } from '../lib/kube/selectors.ts'
import type { KubeObject, LabelSelector } from '../lib/kube/types.ts'
import { refersToGroups } from '../target/match.ts'
import type { Caches } from './caches.ts'
import type { Copyable } from './copied-objects.ts'
import { BY_CONTENT, BY_SOURCE, bundleKeys } from './indexes.ts'
import type { DigestedSecret } from './secrets.ts'

type Event<T> = InformerEvent<T>

/** Its spec, its labels or annotations, or its deletion: not its status, which is ours. */
export function bundleOf({ type, object, old }: Event<Bundle>): string[] {
  if (type !== 'modified' || !old) return [keyOf(object)]
  return changed(object, old, ({ metadata }) => [metadata.generation, metadata.labels, metadata.annotations, metadata.deletionTimestamp])
}

/** What the state of a rollout is made of, and what we write ourselves: somebody else may have. `status.display` is neither. */
export function bundleOfDeployment({ type, object, old }: Event<BundleDeployment>, caches: Caches): string[] {
  if (type === 'modified' && old && changed(object, old, watched).length === 0) return []
  const waiting = type === 'deleted' ? bundlesOfName(object, caches) : []
  return [...new Set([...bundleKeys(object), ...(old ? bundleKeys(old) : []), ...waiting])]
}

/** Bundles that may have found their name taken by the deployment. */
function bundlesOfName({ metadata: { name, labels } }: BundleDeployment, { bundles, mappings }: Caches): string[] {
  const workspaces = [labels?.[CLUSTER_NAMESPACE_LABEL], ...mappings.list().map(({ metadata }) => metadata.namespace)]
  return workspaces.flatMap((workspace) => bundles.get(name, workspace) ?? []).map(keyOf)
}

function watched({ metadata, status }: BundleDeployment): unknown[] {
  const { appliedDeploymentID, ready, nonModified, conditions, modifiedStatus, nonReadyStatus } = status ?? {}
  const { generation, labels, deletionTimestamp } = metadata
  return [generation, labels, deletionTimestamp, appliedDeploymentID, ready, nonModified, conditions, modifiedStatus, nonReadyStatus]
}

/** The bundles that may reach the cluster, and those that have a deployment there. */
export function bundlesOfCluster({ type, object, old }: Event<Cluster>, caches: Caches): string[] {
  if (type === 'modified' && old && changed(object, old, targeted).length === 0) return []
  const namespaces = new Set(
    [object.status?.namespace, old?.status?.namespace].filter((namespace) => namespace !== undefined && namespace !== ''),
  )
  const served = [...namespaces].flatMap((namespace) => caches.deployments.list(namespace)).flatMap(bundleKeys)
  return [...new Set([...reaching(object.metadata.namespace ?? '', caches), ...served])]
}

function targeted({ metadata, spec, status }: Cluster): unknown[] {
  return [
    metadata.labels,
    metadata.annotations,
    metadata.deletionTimestamp,
    spec,
    status?.namespace,
    status?.scheduled,
    status?.activeSchedule,
  ]
}

/** Bundles whose choice of clusters may depend on the group. */
export function bundlesOfGroup({ type, object, old }: Event<ClusterGroup>, caches: Caches): string[] {
  if (type === 'modified' && old && changed(object, old, ({ spec, metadata }) => [spec, metadata.labels]).length === 0) return []
  return reaching(object.metadata.namespace ?? '', caches, ({ spec }) => refersToGroups(spec))
}

/** All bundles of the object's namespace: for mappings, policies and restrictions. */
export function bundlesBeside({ object }: Event<KubeObject>, { bundles }: Caches): string[] {
  return bundles.list(object.metadata.namespace).map(keyOf)
}

/** Mappings select namespaces by label; a new namespace of a cluster is what its deployments waited for. */
export function bundlesOfNamespace({ type, object, old }: Event<KubeObject>, caches: Caches): string[] {
  if (type === 'modified' && old && isSame(object.metadata.labels, old.metadata.labels)) return []
  const lenders = new Set(caches.mappings.list().map(({ metadata }) => metadata.namespace ?? ''))
  const lent = [...lenders].flatMap((namespace) => caches.bundles.list(namespace)).map(keyOf)
  const workspace = object.metadata.annotations?.[CLUSTER_NAMESPACE_LABEL]
  return type === 'added' && workspace ? [...new Set([...lent, ...reaching(workspace, caches)])] : lent
}

/** The bundle of that name waits for its values. */
export function bundleOfValues({ object }: Event<DigestedSecret>, { bundles }: Caches): string[] {
  const bundle = bundles.get(object.metadata.name, object.metadata.namespace)
  return bundle?.spec.valuesHash ? [keyOf(bundle)] : []
}

/** Somebody touched or deleted the values of a deployment. */
export function bundleOfDeploymentValues({ object }: Event<DigestedSecret>, { deployments }: Caches): string[] {
  const { name, namespace } = object.metadata
  const deployment = deployments.get(name, namespace)
  return deployment ? bundleKeys(deployment) : []
}

/** Contents that are deleted although they are in use have to be made again. */
export function bundlesOfContent({ type, object }: Event<KubeObject>, { deployments }: Caches): string[] {
  return type === 'deleted' ? [...new Set(deployments.by(BY_CONTENT, object.metadata.name).flatMap(bundleKeys))] : []
}

/** Bundles that have the object copied, and the one that made it as a copy. */
export function bundlesOfCopyable({ object }: Event<Copyable>, { bundles, deployments }: Caches): string[] {
  const { name, namespace = '', ownerReferences = [] } = object.metadata
  const copying = bundles.by(BY_SOURCE, `${object.kind}/${namespace}/${name}`).map(keyOf)
  const owners = ownerReferences.filter(({ kind }) => kind === 'BundleDeployment').map((owner) => deployments.get(owner.name, namespace))
  return [...new Set([...copying, ...owners.flatMap((owner) => (owner ? bundleKeys(owner) : []))])]
}

/** A bundle that owns the secret of contents other than its own has something to tidy up. */
export function bundlesOfStoredSecret({ type, object }: Event<StoredSecret>, { bundles }: Caches): string[] {
  const { name, namespace, ownerReferences = [] } = object.metadata
  if (type === 'deleted') return []
  const owners = ownerReferences.filter(({ kind }) => kind === 'Bundle').map((owner) => bundles.get(owner.name, namespace))
  return owners.flatMap((bundle) => (bundle && bundle.spec.contentsId !== name ? [keyOf(bundle)] : []))
}

/** Bundles of the namespace, and of those whose mappings select it. */
function reaching(namespace: string, { bundles, mappings, namespaces }: Caches, test: (bundle: Bundle) => boolean = () => true): string[] {
  const labels = namespaces.get(namespace)?.metadata.labels
  const lenders = mappings.list().filter(({ namespaceSelector }) => selects(namespaceSelector, labels))
  const workspaces = new Set([namespace, ...lenders.map(({ metadata }) => metadata.namespace ?? '')])
  return [...workspaces].flatMap((workspace) => bundles.list(workspace).filter(test)).map(keyOf)
}

function selects(selector: LabelSelector | undefined, labels: Record<string, string> | undefined): boolean {
  try {
    return matchesSelector(selector, labels)
  } catch {
    return false // an invalid mapping has no effect
  }
}

/** The key of an object if any of its parts changed. */
function changed<T extends KubeObject>(object: T, old: T, parts: (object: T) => unknown[]): string[] {
  return isSame(parts(object), parts(old)) ? [] : [keyOf(object)]
}
