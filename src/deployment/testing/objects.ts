// Objects and caches for tests without an API server.
import type { Bundle, BundleSpec } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER } from '../../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL } from '../../api/labels.ts'
import { keyOf } from '../../lib/controller/keys.ts'
import type { Informer, InformerEvent } from '../../lib/kube/informer.ts'
import type { KubeObject, ObjectMeta } from '../../lib/kube/types.ts'
import type { Target } from '../../target/target.ts'

export function bundle(spec: BundleSpec = {}, metadata: Partial<ObjectMeta> = {}): Bundle {
  return { ...BUNDLE, metadata: { name: 'app', namespace: 'ws', uid: 'bundle', generation: 1, ...metadata }, spec }
}

export function cluster(name: string, labels: Record<string, string> = {}, status: Cluster['status'] = {}): Cluster {
  return { ...CLUSTER, metadata: { name, namespace: 'ws', labels }, spec: {}, status: { namespace: `cluster-${name}`, ...status } }
}

export function deployment(
  spec: BundleDeployment['spec'] = {},
  status: BundleDeployment['status'] = {},
  metadata: Partial<ObjectMeta> = {},
): BundleDeployment {
  const labels = { [BUNDLE_NAME_LABEL]: 'app', [BUNDLE_NAMESPACE_LABEL]: 'ws' }
  return {
    ...BUNDLE_DEPLOYMENT,
    metadata: { name: 'app', namespace: 'cluster-one', uid: 'deployment', resourceVersion: '1', labels, ...metadata },
    spec,
    status,
  }
}

export function target(fields: Partial<Target> = {}): Target {
  return { cluster: cluster('one'), groups: [], deploymentId: 's-new:1', options: {}, storedOptions: {}, valuesHash: '', ...fields }
}

/** A cache that a test fills. */
export interface FakeInformer<T extends KubeObject> extends Informer<T> {
  put(object: T): void
  remove(object: T): void
}

export function fakeInformer<T extends KubeObject>(
  objects: readonly T[] = [],
  indexes: Record<string, (object: T) => readonly string[]> = {},
): FakeInformer<T> {
  const store = new Map(objects.map((object) => [keyOf(object), object]))
  const handlers: ((event: InformerEvent<T>) => void)[] = []
  const tell = (event: InformerEvent<T>) => {
    for (const handler of handlers) handler(event)
  }
  const list = (namespace?: string) =>
    [...store.values()].filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
  return {
    synced: true,
    get: (name, namespace) => store.get(keyOf({ name, namespace })),
    list,
    by: (index, value) => list().filter((object) => indexes[index]?.(object).includes(value)),
    subscribe(handler) {
      handlers.push(handler)
      for (const object of store.values()) handler({ type: 'added', object })
      return () => {}
    },
    waitSynced: () => Promise.resolve(),
    put(object) {
      const old = store.get(keyOf(object))
      store.set(keyOf(object), object)
      tell(old ? { type: 'modified', object, old } : { type: 'added', object })
    },
    remove(object) {
      store.delete(keyOf(object))
      tell({ type: 'deleted', object })
    },
  }
}
