// URL paths of kinds and objects. Names keep their case and cannot escape their place in the path.
import type { ResourceMapping } from './discovery.ts'
import type { KubeObject, ObjectRef, ResourceType } from './types.ts'

/** What a path is made of; without a name it is that of the collection. */
export interface PathTarget extends ResourceType {
  name?: string | undefined
  namespace?: string | undefined
}

/** `/api/v1`, `/apis/apps/v1`. */
export function groupVersionPath(apiVersion: string): string {
  const [group = '', version, ...rest] = apiVersion.split('/')
  if (!group || version === '' || rest.length > 0) throw new Error(`"${apiVersion}" is not an apiVersion: write v1 or group/version`)
  return version === undefined
    ? `/api/${segment(group, 'apiVersion')}`
    : `/apis/${segment(group, 'apiVersion')}/${segment(version, 'apiVersion')}`
}

/** The path of an object or a collection. A namespace is ignored for cluster-scoped kinds, and needed for a single object of the others. */
export function objectPath(target: PathTarget, mapping: Pick<ResourceMapping, 'plural' | 'namespaced'>, subresource?: string): string {
  const { name, namespace, kind } = target
  if (mapping.namespaced && name !== undefined && !namespace) throw new Error(`${kind} ${name} needs a namespace`)
  const scope = mapping.namespaced && namespace ? `/namespaces/${segment(namespace, 'namespace')}` : ''
  const object = name === undefined ? '' : `/${segment(name, 'name')}`
  return `${groupVersionPath(target.apiVersion)}${scope}/${mapping.plural}${object}${subresource ? `/${segment(subresource, 'subresource')}` : ''}`
}

/** The path under which objects of a kind are created: the namespace is needed here too. */
export function createPath(target: PathTarget, mapping: Pick<ResourceMapping, 'plural' | 'namespaced'>): string {
  if (mapping.namespaced && !target.namespace) throw new Error(`${target.kind} needs a namespace to be created in`)
  return objectPath({ ...target, name: undefined }, mapping)
}

/** The reference to an object. */
export function refOf(object: KubeObject): ObjectRef {
  const { apiVersion, kind, metadata } = object
  return { apiVersion, kind, name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) }
}

// an empty name would address the whole collection, "..", "/" and "%" another object (the server refuses such names too)
function segment(text: string, what: string): string {
  if (typeof text !== 'string' || text === '' || text === '.' || text === '..' || /[/%]/.test(text))
    throw new Error(`${JSON.stringify(text)} cannot be used as ${what} of a Kubernetes object`)
  return encodeURIComponent(text)
}
