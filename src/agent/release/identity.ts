import type { KubeObject } from '../../lib/kube/types.ts'

/** Kind, place and name of an object: what makes two manifests speak of the same one. Versions of a kind make no difference. */
export function identityOf({ apiVersion, kind, metadata }: KubeObject, namespace: string): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
  return `${group}/${kind} ${metadata.namespace || namespace}/${metadata.name}`
}

/** The objects that are not among `others`. */
export function without(objects: readonly KubeObject[], others: readonly KubeObject[], namespace: string): KubeObject[] {
  const known = new Set(others.map((object) => identityOf(object, namespace)))
  return objects.filter((object) => !known.has(identityOf(object, namespace)))
}

/** Each object once; of those that are the same the last one counts. Those whose name the API server makes are all different. */
export function distinct(objects: readonly KubeObject[], namespace: string): KubeObject[] {
  return [...new Map(objects.map((object) => [object.metadata.name ? identityOf(object, namespace) : object, object])).values()]
}
