// What must be patched so that a live object says what it should: three-way, so that fields others have added stay and fields we have dropped go.

import { gunzipSync, gzipSync } from 'node:zlib'
import { SET_APPLIED_ANNOTATION } from '../api/labels.ts'
import { isMap } from '../lib/json/is-map.ts'
import type { KubeObject, OwnerReference } from '../lib/kube/types.ts'

type Fields = Readonly<Record<string, unknown>>

/** Parts of an object that a set does not apply. */
const NOT_APPLIED = new Set(['apiVersion', 'kind', 'metadata', 'status'])
/** Parts in which a field that nobody asked for changes who may do what, or whom the object is about. */
const STRICT: Readonly<Record<string, readonly string[]>> = {
  Role: ['rules'],
  ClusterRole: ['rules'],
  RoleBinding: ['subjects'],
  ClusterRoleBinding: ['subjects'],
  NetworkPolicy: ['spec'],
  PodDisruptionBudget: ['spec'],
}
/** Longest text in the record of what was applied, as in other releases: the record is read for its keys only. */
const MAX_RECORDED_TEXT = 64
const MAX_RECORD_BYTES = 2 ** 20

/** The merge patch from the live object to the desired one; undefined if nothing differs. `desired` is stamped. */
export function patchTo(desired: KubeObject, live: KubeObject): object | undefined {
  const applied = recordOf(live)
  const patch = { ...bodyPatch(desired, live, applied), ...metadataPatch(desired, live, fieldsOf(applied.metadata)) }
  if (Object.keys(patch).length === 0) return undefined
  const metadata = fieldsOf((patch as Fields).metadata)
  const annotations = { ...fieldsOf(metadata.annotations), [SET_APPLIED_ANNOTATION]: record(desired) }
  return { ...patch, metadata: { ...metadata, annotations } }
}

/** The object as it is created: with the record of what was applied. */
export function withRecord<T extends KubeObject>(desired: T): T {
  const annotations = { ...desired.metadata.annotations, [SET_APPLIED_ANNOTATION]: record(desired) }
  return { ...desired, metadata: { ...desired.metadata, annotations } }
}

function bodyPatch(desired: KubeObject, live: KubeObject, applied: Fields): Fields {
  const strict = STRICT[desired.kind] ?? []
  const patch: Record<string, unknown> = {}
  for (const name of new Set([...Object.keys(desired), ...Object.keys(applied)])) {
    if (NOT_APPLIED.has(name)) continue
    const [want, is] = [(desired as unknown as Fields)[name], (live as unknown as Fields)[name]]
    const change = strict.includes(name) ? strictDifference(want, is) : difference(want, is, applied[name])
    if (change !== undefined) patch[name] = change
  }
  return patch
}

function metadataPatch({ metadata: desired }: KubeObject, { metadata: live }: KubeObject, applied: Fields): Fields {
  const labels = difference(desired.labels ?? {}, live.labels ?? {}, applied.labels)
  const annotations = difference(desired.annotations ?? {}, live.annotations ?? {}, applied.annotations)
  const owners = missingOwners(desired.ownerReferences ?? [], live.ownerReferences ?? [])
  const metadata = {
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    // a list is replaced as a whole: only on top of the version it was made from
    ...(owners.length > 0 ? { ownerReferences: [...(live.ownerReferences ?? []), ...owners], resourceVersion: live.resourceVersion } : {}),
  }
  return Object.keys(metadata).length > 0 ? { metadata } : {}
}

function missingOwners(desired: readonly OwnerReference[], live: readonly OwnerReference[]): OwnerReference[] {
  return desired.filter((owner) => !live.some(({ uid }) => uid === owner.uid))
}

/** What to patch a value with; undefined if it is as it should be, null if it should not be there. */
function difference(want: unknown, is: unknown, was: unknown): unknown {
  if (isAbsent(want)) return isAbsent(was) || isAbsent(is) ? undefined : null
  if (isMap(want) && isMap(is)) return fieldsDifference(want, is, fieldsOf(was))
  return covers(want, is, was) ? undefined : want
}

function fieldsDifference(want: Fields, is: Fields, was: Fields): Fields | undefined {
  const patch: Record<string, unknown> = {}
  for (const name of new Set([...Object.keys(want), ...Object.keys(was)])) {
    const change = difference(want[name], is[name], was[name])
    if (change !== undefined) patch[name] = change
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

/** Whether a live value has all that is wanted. The API server drops what is empty and adds defaults, in items of lists too. */
function covers(want: unknown, is: unknown, was: unknown): boolean {
  if (isAbsent(is)) return isZero(want)
  if (Array.isArray(want)) {
    const [live, before]: [unknown[], unknown[]] = [asList(is), asList(was)]
    return Array.isArray(is) && live.length === want.length && want.every((item, index) => covers(item, live[index], before[index]))
  }
  if (isMap(want)) return isMap(is) && fieldsDifference(want, is, fieldsOf(was)) === undefined
  return want === is
}

function strictDifference(want: unknown, is: unknown): unknown {
  if (isMap(want) && isMap(is)) return fieldsDifference(want, is, is)
  if (covers(want, is, is)) return undefined
  return isAbsent(want) ? (isAbsent(is) ? undefined : null) : want
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

/** What the API server leaves out. False and 0 are not of it: where they are the default, they are not rendered. */
function isZero(value: unknown): boolean {
  if (isAbsent(value) || value === '') return true
  return Array.isArray(value) && value.length === 0
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function fieldsOf(value: unknown): Fields {
  return isMap(value) ? value : {}
}

function record(desired: KubeObject): string {
  return gzipSync(JSON.stringify(shortened(withoutSecrets(desired))))
    .toString('base64')
    .replace(/=+$/, '')
}

function recordOf(live: KubeObject): Fields {
  const text = live.metadata.annotations?.[SET_APPLIED_ANNOTATION] ?? ''
  try {
    const json = text.startsWith('{') ? text : gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_RECORD_BYTES }).toString()
    return fieldsOf(JSON.parse(json))
  } catch {
    return {} // no record, or not one of ours: then nothing is known to have been dropped
  }
}

/** Annotations are shown in many places where secrets are not: of those only the keys are recorded. */
function withoutSecrets(object: KubeObject): unknown {
  if (object.kind !== 'Secret') return object
  const data = fieldsOf((object as unknown as Fields).data)
  return { ...object, data: Object.fromEntries(Object.keys(data).map((key) => [key, ''])) }
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_RECORDED_TEXT).toWellFormed()
  if (Array.isArray(value)) return value.map(shortened)
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shortened(item)]))
  return value
}
