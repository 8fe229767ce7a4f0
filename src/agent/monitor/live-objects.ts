// Reads the live objects that have changed since they were last looked at: one list per kind and namespace when there are many, else one get each.
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'

/** From this many objects of one kind and namespace on, one list is cheaper than single reads. */
const LIST_FROM = 4
const READERS = 8

/** `apiVersion/Kind` of an object. */
export function kindKey(object: { readonly apiVersion: string; readonly kind: string }): string {
  return `${object.apiVersion}/${object.kind}`
}

/** Identifies an object among all kinds. */
export function objectKey(object: {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string | undefined
}): string {
  return `${kindKey(object)}:${object.namespace ?? ''}/${object.name}`
}

/** The live objects behind some references, by {@link objectKey}; what does not exist, or whose kind does not, is absent. */
export async function readLive(client: KubeClient, refs: readonly ObjectRef[], labelSelector: string): Promise<Map<string, KubeObject>> {
  const found = new Map<string, KubeObject>()
  const add = (object: KubeObject | undefined) => {
    if (object) found.set(objectKey({ ...object, ...object.metadata }), object)
  }
  const groups = Map.groupBy(refs, (ref) => `${kindKey(ref)}:${ref.namespace ?? ''}`)
  const singles: ObjectRef[] = []
  await inParallel([...groups.values()], READERS, async (group) => {
    const [first] = group
    if (!first || group.length < LIST_FROM) return void singles.push(...group)
    const { items } = await listKind(client, first, labelSelector)
    for (const item of items) add(item)
    singles.push(...group.filter((ref) => !found.has(objectKey(ref))))
  })
  await inParallel(singles, READERS, async (ref) => add(await findObject(client, ref)))
  return found
}

async function listKind(client: KubeClient, ref: ObjectRef, labelSelector: string): Promise<{ items: KubeObject[] }> {
  try {
    return await client.list<KubeObject>(ref, { labelSelector, ...(ref.namespace ? { namespace: ref.namespace } : {}) })
  } catch (error) {
    if (error instanceof UnknownKindError) return { items: [] }
    throw error
  }
}

async function findObject(client: KubeClient, ref: ObjectRef): Promise<KubeObject | undefined> {
  try {
    return await client.find<KubeObject>(ref)
  } catch (error) {
    // a kind that is gone has no objects
    if (error instanceof UnknownKindError) return undefined
    throw error
  }
}
