// The objects of a release and where they live in the cluster.
import type { KubeClient } from '../../lib/kube/client.ts'
import { UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef, ResourceType } from '../../lib/kube/types.ts'
import { kindKey } from './live-objects.ts'
import type { MonitorInput } from './types.ts'

/** With the value `false` an object is never reported as left over. */
const PRUNE_LABEL = 'objectset.rio.cattle.io/prune'

/** A desired object and where it lives. */
export interface Wanted {
  readonly object: KubeObject
  readonly ref: ObjectRef
}

/** The desired objects with their places. Of those that stand twice in a release the last one counts, as it does when they are applied. */
export async function locate({
  objects,
  client,
  releaseNamespace,
}: Pick<MonitorInput, 'objects' | 'client' | 'releaseNamespace'>): Promise<Wanted[]> {
  const namespaced = new Map<string, boolean>()
  for (const object of objects) {
    if (!namespaced.has(kindKey(object))) namespaced.set(kindKey(object), await isNamespaced(client, object))
  }
  const wanted = objects.map((object): Wanted => {
    const { apiVersion, kind, metadata } = object
    // charts give objects a namespace that live in none
    const { namespace: given, ...others } = metadata
    const place = namespaced.get(kindKey(object)) ? { namespace: given || releaseNamespace } : {}
    return { object: { ...object, metadata: { ...others, ...place } }, ref: { apiVersion, kind, name: metadata.name, ...place } }
  })
  return [...new Map(wanted.map((each) => [versionless(each.ref), each])).values()]
}

async function isNamespaced(client: KubeClient, type: ResourceType): Promise<boolean> {
  try {
    return (await client.mapping(type)).namespaced
  } catch (error) {
    // an object of a kind that is gone is missing; where it would live makes no difference
    if (error instanceof UnknownKindError) return false
    throw error
  }
}

/**
 * The live objects of a set that the version before had and the present one has not. Operators copy objects with their labels, also into other
 * namespaces: only what was deployed, in a namespace that the kind is deployed to, is a leftover.
 */
export function notWanted(live: readonly KubeObject[], wanted: readonly Wanted[], previous: readonly KubeObject[]): ObjectRef[] {
  const known = new Set(wanted.map(({ ref }) => versionless(ref)))
  const places = new Set(wanted.map(({ ref }) => placeOf(ref)))
  const before = new Set(previous.map((object) => `${object.kind}/${object.metadata.name}`))
  return live
    .filter(({ metadata }) => metadata.labels?.[PRUNE_LABEL] !== 'false')
    .map(({ apiVersion, kind, metadata: { name, namespace } }) => ({ apiVersion, kind, name, ...(namespace ? { namespace } : {}) }))
    .filter((ref) => !known.has(versionless(ref)) && places.has(placeOf(ref)) && before.has(`${ref.kind}/${ref.name}`))
}

function placeOf(ref: ObjectRef): string {
  return `${kindKey(ref)}:${ref.namespace ?? ''}`
}

/** Identifies an object among all kinds, whatever version it is spoken of in. */
function versionless(ref: ObjectRef): string {
  const group = ref.apiVersion.includes('/') ? ref.apiVersion.split('/')[0] : ''
  return `${group}/${ref.kind}:${ref.namespace ?? ''}/${ref.name}`
}
