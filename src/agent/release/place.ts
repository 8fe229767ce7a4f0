import type { KubeClient } from '../../lib/kube/client.ts'
import { UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { identityOf, without } from './identity.ts'

/** Where an object of a release lives in the cluster; undefined when its kind is not served (any more). `namespace` is for objects that name none. */
export async function placeOf(
  client: KubeClient,
  { apiVersion, kind, metadata }: KubeObject,
  namespace: string,
): Promise<ObjectRef | undefined> {
  try {
    const { namespaced } = await client.mapping({ apiVersion, kind })
    return { apiVersion, kind, name: metadata.name, ...(namespaced ? { namespace: metadata.namespace || namespace } : {}) }
  } catch (error) {
    if (error instanceof UnknownKindError) return undefined
    throw error
  }
}

/** The objects that are not among `others`, and so may be removed. A cluster-wide object is the same whatever namespace its manifests name. */
export async function absentFrom(
  client: KubeClient,
  objects: readonly KubeObject[],
  others: readonly KubeObject[],
  namespace: string,
): Promise<KubeObject[]> {
  const anywhere = (object: KubeObject): string => identityOf({ ...object, metadata: { name: object.metadata.name } }, '')
  const known = new Set(others.map(anywhere))
  const absent: KubeObject[] = []
  for (const object of without(objects, others, namespace)) {
    const isSame = known.has(anywhere(object)) && (await placeOf(client, object, namespace))?.namespace === undefined
    if (!isSame) absent.push(object)
  }
  return absent
}
