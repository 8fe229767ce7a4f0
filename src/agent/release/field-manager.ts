// Objects that Helm wrote by the client, or that were replaced, belong to an `Update` of our field manager. Applying does not take fields away from that:
// they would stay for ever when a later version drops them. So they are made over to the `Apply` of the same manager first.
import type { KubeClient } from '../../lib/kube/client.ts'
import { isConflict, isNotFound } from '../../lib/kube/errors.ts'
import { objectPath } from '../../lib/kube/paths.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'

/** The name under which helm writes objects. */
export const FIELD_MANAGER = 'helm'

interface ManagedFields {
  manager?: string
  operation?: string
  apiVersion?: string
  subresource?: string
  fieldsType?: string
  fieldsV1?: FieldSet
}

interface FieldSet {
  [field: string]: FieldSet
}

interface Managed extends KubeObject {
  metadata: KubeObject['metadata'] & { managedFields?: ManagedFields[] }
}

const ATTEMPTS = 5

/** Makes fields that our manager updated count as applied by it. No request but one read when there are none. */
export async function takeOverUpdates(client: KubeClient, ref: ObjectRef): Promise<void> {
  const path = objectPath(ref, await client.mapping(ref))
  for (let attempt = 1; ; attempt++) {
    const live = await client.request<Managed>('GET', path).catch(nothingIfMissing)
    const managedFields = live && withoutUpdates(live.metadata.managedFields ?? [])
    if (!managedFields) return
    const { resourceVersion } = live.metadata
    const patch = [
      { op: 'replace', path: '/metadata/managedFields', value: managedFields },
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ]
    try {
      await client.patch(ref, patch, { type: 'json', fieldManager: FIELD_MANAGER })
      return
    } catch (error) {
      if (isNotFound(error)) return
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}

/** The entries with our updates folded into what we applied; undefined when we updated nothing. */
export function withoutUpdates(entries: readonly ManagedFields[]): ManagedFields[] | undefined {
  const isOurs = ({ manager, subresource }: ManagedFields): boolean => manager === FIELD_MANAGER && !subresource
  const updates = entries.filter((entry) => isOurs(entry) && entry.operation === 'Update')
  if (updates.length === 0) return undefined
  const applied = entries.find((entry) => isOurs(entry) && entry.operation === 'Apply')
  const base = applied ?? { ...updates.at(-1)!, operation: 'Apply' }
  const fieldsV1 = updates.reduce((fields, update) => union(fields, update.fieldsV1 ?? {}), base.fieldsV1 ?? {})
  const others = entries.filter((entry) => entry !== applied && !updates.includes(entry))
  return [...others, { ...base, fieldsV1 }]
}

function union(a: FieldSet, b: FieldSet): FieldSet {
  const result = { ...a }
  for (const [field, inner] of Object.entries(b)) result[field] = union(result[field] ?? {}, inner)
  return result
}

function nothingIfMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}
