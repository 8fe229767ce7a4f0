import type { KubeObject } from '../../lib/kube/types.ts'

/** Kind, place and name of an object: what makes two manifests speak of the same one. Versions of a kind make no difference. */
export function identityOf({ apiVersion, kind, metadata }: KubeObject, namespace: string): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
  return `${group}/${kind} ${metadata.namespace || namespace}/${metadata.name}`
}
