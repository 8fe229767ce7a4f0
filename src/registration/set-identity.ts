// Which set an object belongs to, written on the object itself, as every release of Fleet writes it (spec 0.1, 0.3, 10.8).
import {
  SET_APPLIED_ANNOTATION,
  SET_HASH_LABEL,
  SET_ID_ANNOTATION,
  SET_OWNER_GVK_ANNOTATION,
  SET_OWNER_NAME_ANNOTATION,
  SET_OWNER_NAMESPACE_ANNOTATION,
} from '../api/labels.ts'
import { setHash } from '../api/names.ts'
import type { KubeObject, ObjectRef, OwnerReference } from '../lib/kube/types.ts'

/** A set of objects that are applied together: its id, and the object it is made for, if any. */
export interface SetIdentity {
  readonly id: string
  readonly owner?: KubeObject | undefined
}

/** `group/version, Kind=X` as sets name kinds; the core group is empty: `/v1, Kind=Namespace`. */
export function gvkText({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}

/** The label value that the members of a set share. */
export function hashOfSet({ id, owner }: SetIdentity): string {
  if (!owner) return setHash(id)
  return setHash(id, { kind: gvkText(owner), name: owner.metadata.name, namespace: owner.metadata.namespace ?? '' })
}

/** The owner that a member's annotations name; undefined if they name none. */
export function recordedOwner(member: KubeObject): ObjectRef | undefined {
  const annotations = member.metadata.annotations ?? {}
  const match = /^([^,]*), Kind=(\S+)$/.exec(annotations[SET_OWNER_GVK_ANNOTATION] ?? '')
  const name = annotations[SET_OWNER_NAME_ANNOTATION]
  if (!match || !name) return undefined
  const namespace = annotations[SET_OWNER_NAMESPACE_ANNOTATION]
  const apiVersion = (match[1] ?? '').replace(/^\//, '')
  return { apiVersion, kind: match[2] ?? '', name, ...(namespace ? { namespace } : {}) }
}

/** A copy of the object as a member of the set: stamped, and owned where the owner may own it. */
export function stamp<T extends KubeObject>(object: T, set: SetIdentity): T {
  const { owner } = set
  const annotations: Record<string, string> = {
    ...object.metadata.annotations,
    [SET_ID_ANNOTATION]: set.id,
    ...(owner ? ownerAnnotations(owner) : {}),
  }
  delete annotations[SET_APPLIED_ANNOTATION]
  const references = owner && mayOwn(owner, object) ? [...(object.metadata.ownerReferences ?? []), referenceTo(owner)] : undefined
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...object.metadata.labels, [SET_HASH_LABEL]: hashOfSet(set) },
      annotations,
      ...(references ? { ownerReferences: references } : {}),
    },
  }
}

function ownerAnnotations(owner: KubeObject): Record<string, string> {
  return {
    [SET_OWNER_GVK_ANNOTATION]: gvkText(owner),
    [SET_OWNER_NAME_ANNOTATION]: owner.metadata.name,
    [SET_OWNER_NAMESPACE_ANNOTATION]: owner.metadata.namespace ?? '',
  }
}

// garbage collection takes an owner in another namespace for one that does not exist
function mayOwn(owner: KubeObject, object: KubeObject): boolean {
  return !owner.metadata.namespace || owner.metadata.namespace === object.metadata.namespace
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: false, blockOwnerDeletion: false }
}
