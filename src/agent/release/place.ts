import type { KubeClient } from '../../lib/kube/client.ts'
import { UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'

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
