// What was found out about single objects, folded into the status of a deployment (spec 7.6 steps 5 to 7).
import type { BundleDeploymentOptions } from '../../api/bundle-deployment-options.ts'
import { numberAt } from '../../lib/kstatus/fields.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { STATUS_LIST_LIMIT } from './limits.ts'
import { objectKey } from './live-objects.ts'
import { type ComparePatch, ignoresMissing } from './normalize.ts'
import { isReady, type ObjectSummary } from './summarize.ts'
import type { LiveResource, LiveState, ModifiedResource, NonReadyResource } from './types.ts'

/** A desired object that is live. */
export interface PresentObject {
  readonly missing?: undefined
  readonly ref: ObjectRef
  readonly uid: string
  readonly resourceVersion: string
  readonly createdAt: string
  readonly summary: ObjectSummary
  /** the merge patch that would undo what was changed */
  readonly patch?: string | undefined
  /** what that was found from, if it took a request to find it */
  readonly basis?: string | undefined
}

/** A desired object that is not there, or (`exists`) carries another's label. */
export interface AbsentObject {
  readonly missing: true
  readonly exists?: boolean
  readonly resourceVersion?: undefined
}

export type ObjectState = PresentObject | AbsentObject

interface WantedObject {
  readonly object: KubeObject
  readonly ref: ObjectRef
}

/** `seen` holds a state for each wanted object; `leftOver` are objects of an earlier revision that are still there. */
export function fold(
  wanted: readonly WantedObject[],
  seen: ReadonlyMap<string, ObjectState>,
  leftOver: readonly ObjectRef[],
  options: BundleDeploymentOptions,
): LiveState {
  const patches = (options.diff?.comparePatches ?? []) as readonly ComparePatch[]
  const resources: LiveResource[] = []
  const modified: ModifiedResource[] = leftOver.map((ref) => ({ ...fields(ref), delete: true }))
  const nonReady: NonReadyResource[] = []
  let missing = 0
  let changed = 0
  for (const { object, ref } of wanted) {
    const state = seen.get(objectKey(ref)) ?? { missing: true }
    if (state.missing) {
      if (ignoresMissing(patches, object) || (!state.exists && goesByItself(object))) continue
      missing++
      modified.push({ ...fields(ref), missing: true, ...(state.exists ? { exist: true } : {}) })
      continue
    }
    resources.push({ ...fields(ref), createdAt: state.createdAt })
    if (state.patch !== undefined) {
      changed++
      modified.push({ ...fields(ref), patch: state.patch })
    }
    if (!isReady(state.summary)) nonReady.push(nonReadyResource(state))
  }
  const notReady = nonReady.length
  const counts = { desiredReady: resources.length + missing, missing, orphaned: leftOver.length, modified: changed, notReady }
  const ready = Math.max(0, resources.length - changed - notReady)
  modified.sort(byKindAndName)
  nonReady.sort((left, right) => compare(left.uid, right.uid))
  return {
    ready: notReady === 0,
    nonModified: modified.length === 0,
    nonReadyStatus: nonReady.slice(0, STATUS_LIST_LIMIT),
    modifiedStatus: modified.slice(0, STATUS_LIST_LIMIT),
    incompleteState: nonReady.length > STATUS_LIST_LIMIT || modified.length > STATUS_LIST_LIMIT,
    resources: resources.sort(byKindAndName),
    resourceCounts: Object.fromEntries(Object.entries({ ...counts, ready }).filter(([, count]) => count > 0)),
  }
}

/** A Job may say that it is to be deleted when it is done. */
function goesByItself(object: KubeObject): boolean {
  return object.kind === 'Job' && numberAt(object, 'spec', 'ttlSecondsAfterFinished') !== undefined
}

function fields({ kind, apiVersion, namespace, name }: ObjectRef): { kind: string; apiVersion: string; namespace?: string; name: string } {
  return { kind, apiVersion, ...(namespace ? { namespace } : {}), name }
}

function nonReadyResource({ ref, uid, summary }: PresentObject): NonReadyResource {
  const { state, error, transitioning, message } = summary
  return {
    uid,
    ...fields(ref),
    summary: {
      ...(state ? { state } : {}),
      ...(error ? { error } : {}),
      ...(transitioning ? { transitioning } : {}),
      ...(message.length > 0 ? { message: [...message] } : {}),
    },
  }
}

function byKindAndName(left: ObjectRef, right: ObjectRef): number {
  return (
    compare(left.apiVersion, right.apiVersion) ||
    compare(left.kind, right.kind) ||
    compare(left.namespace ?? '', right.namespace ?? '') ||
    compare(left.name, right.name)
  )
}

function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
