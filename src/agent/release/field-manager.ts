// Under which name fields of deployed objects are owned. Server-side apply compares names: whoever applies under another one than the owner's comes into
// conflict over what it changes, and cannot remove what it leaves out. So all of a release belongs to one name, the one that Go Fleet's agent has, too.
import type { KubeClient } from '../../lib/kube/client.ts'
import { isConflict, isNotFound } from '../../lib/kube/errors.ts'
import { objectPath } from '../../lib/kube/paths.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'

/** Owns what the agent deploys (spec 10.8). */
export const FIELD_MANAGER = 'fleetagent'
/** The name that the helm command writes under, whatever it is called and told; earlier agents wrote everything under it. */
export const HELM_MANAGER = 'helm'

const OURS: readonly (string | undefined)[] = [FIELD_MANAGER, HELM_MANAGER]

export interface ManagedFields {
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

/** An object as the API server answers it to raw requests. */
export interface Managed extends KubeObject {
  metadata: KubeObject['metadata'] & { managedFields?: ManagedFields[] }
}

/** The entries as they should be; undefined when they are. */
export type Handover = (entries: readonly ManagedFields[]) => ManagedFields[] | undefined

const ATTEMPTS = 10

/** Gives the fields of a live object to somebody else; the object stays as it is. No request but one read when there is nothing to change. */
export async function handOver(client: KubeClient, ref: ObjectRef, handover: Handover, signal?: AbortSignal): Promise<void> {
  const path = objectPath(ref, await client.mapping(ref))
  const call = signal ? { signal } : {}
  for (let attempt = 1; ; attempt++) {
    const live = await client.request<Managed>('GET', path, call).catch(nothingIfMissing)
    const managedFields = live && handover(live.metadata.managedFields ?? [])
    if (!managedFields) return
    const { resourceVersion } = live.metadata
    const patch = [
      { op: 'replace', path: '/metadata/managedFields', value: managedFields },
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ]
    try {
      await client.patch(ref, patch, { type: 'json', fieldManager: FIELD_MANAGER, ...call })
      return
    } catch (error) {
      if (isNotFound(error)) return
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}

/**
 * What was applied by us or helm, and all else that helm wrote, counts as applied by `manager`: what its next apply leaves out goes. `updates` adds what the
 * agent wrote in another way, by the client or replacing whole objects; applying alone would take nothing of that away.
 */
export function asAppliedBy(manager: string, { updates = false }: { updates?: boolean } = {}): Handover {
  const isTaken = (entry: ManagedFields): boolean =>
    isOurs(entry) && (updates || entry.manager === HELM_MANAGER || entry.operation === 'Apply')
  return (entries) => {
    const taken = entries.filter(isTaken)
    if (taken.every((entry) => entry.manager === manager && entry.operation === 'Apply')) return undefined
    const applied = taken.filter(({ operation }) => operation === 'Apply')
    const base = applied.find((entry) => entry.manager === manager) ?? applied[0] ?? taken.at(-1)!
    return [...entries.filter((entry) => !isTaken(entry)), { ...base, manager, operation: 'Apply', fieldsV1: fieldsOf(taken) }]
  }
}

/** What helm wrote counts as written by the agent in the same way. */
export const fromHelm: Handover = (entries) => {
  if (!isOfHelm(entries)) return undefined
  const kept = entries.filter((entry) => !isOurs(entry))
  const renamed = entries.filter(isOurs).map((entry) => ({ ...entry, manager: FIELD_MANAGER }))
  const byKey = Map.groupBy(renamed, ({ operation, apiVersion }) => (operation === 'Apply' ? 'Apply' : `${operation} ${apiVersion}`))
  return [...kept, ...[...byKey.values()].map((same) => ({ ...same.at(-1)!, fieldsV1: fieldsOf(same) }))]
}

/** Helm, or an agent of before, owns fields. */
export function isOfHelm(entries: readonly ManagedFields[] = []): boolean {
  return entries.some((entry) => entry.manager === HELM_MANAGER && isOurs(entry))
}

function isOurs({ manager, subresource }: ManagedFields): boolean {
  return OURS.includes(manager) && !subresource
}

function fieldsOf(entries: readonly ManagedFields[]): FieldSet {
  return entries.reduce<FieldSet>((fields, { fieldsV1 = {} }) => union(fields, fieldsV1), {})
}

function union(a: FieldSet, b: FieldSet): FieldSet {
  const result = { ...a }
  for (const [field, inner] of Object.entries(b)) result[field] = union(result[field] ?? {}, inner)
  return result
}

function nothingIfMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}
