// Removes objects of a release, kind by kind in Helm's order; never what somebody wants to keep, and never what is another release's by now.
import { HELM_RESOURCE_POLICY_ANNOTATION } from '../../api/labels.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isConflict } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import type { ReleaseRef } from './engine.ts'
import { removalGroups } from './kind-order.ts'
import { belongsToOther, releaseOfObject } from './ownership.ts'
import { placeOf } from './place.ts'
import { combined, removalRefusal } from './refusal.ts'

export interface RemoveSettings {
  readonly release: ReleaseRef
  readonly signal?: AbortSignal | undefined
  /** Leaves objects without the marks of the release alone: nobody knows whether they were ever part of it. */
  readonly onlyMarked?: boolean
}

const PARALLEL = 16
const ATTEMPTS = 3

/** Deletes the objects that exist. All are tried; throws one error for all refusals. */
export async function removeObjects(client: KubeClient, objects: readonly KubeObject[], settings: RemoveSettings): Promise<void> {
  const errors: unknown[] = []
  for (const group of removalGroups(objects)) {
    settings.signal?.throwIfAborted()
    const results = await inParallel(group, PARALLEL, (object) => remove(client, object, settings).catch((error: unknown) => error))
    errors.push(...results.filter((error) => error !== undefined))
  }
  settings.signal?.throwIfAborted()
  if (errors.length > 0) throw combined(errors, '; ')
}

async function remove(client: KubeClient, object: KubeObject, { release, signal, onlyMarked = false }: RemoveSettings): Promise<void> {
  const ref = await placeOf(client, object, release.namespace)
  if (!ref) return
  const call = signal ? { signal } : {}
  try {
    for (let attempt = 1; ; attempt++) {
      const live = await client.find<KubeObject>(ref, call)
      if (!live || isSpared(live, release, onlyMarked)) return
      if (await tryDelete(client, ref, live, call, attempt)) return
    }
  } catch (error) {
    throw removalRefusal(error, ref)
  }
}

/** False when another object came in its place meanwhile. */
async function tryDelete(
  client: KubeClient,
  ref: ObjectRef,
  { metadata: { uid } }: KubeObject,
  call: { signal?: AbortSignal },
  attempt: number,
): Promise<boolean> {
  try {
    await client.delete(ref, { propagationPolicy: 'Background', ...(uid ? { uid } : {}), ...call })
    return true
  } catch (error) {
    if (!isConflict(error) || attempt === ATTEMPTS) throw error
    return false
  }
}

function isSpared(live: KubeObject, release: ReleaseRef, onlyMarked: boolean): boolean {
  return isKept(live) || belongsToOther(live, release) || (onlyMarked && releaseOfObject(live) === undefined)
}

/** The object is to outlive its release. */
export function isKept({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[HELM_RESOURCE_POLICY_ANNOTATION]?.trim().toLowerCase() === 'keep'
}
