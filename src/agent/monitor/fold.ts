// What was found out about single objects, folded into the status of a deployment (spec 7.6 steps 5 to 7).
import type { BundleDeploymentOptions } from '../../api/bundle-deployment-options.ts'
import { numberAt } from '../../lib/kstatus/fields.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { STATUS_LIST_LIMIT, STATUS_TEXT_LIMIT } from './limits.ts'
import { objectKey } from './live-objects.ts'
import { type ComparePatch, ignoresMissing } from './normalize.ts'
import { fittingResources } from './resources.ts'
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
  const inTrouble = new Set<LiveResource>()
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
    const resource = { ...fields(ref), createdAt: state.createdAt }
    resources.push(resource)
    if (!isReady(state.summary)) nonReady.push(nonReadyResource(state))
    if (state.patch !== undefined) {
      changed++
      modified.push({ ...fields(ref), patch: cut(state.patch) })
    }
    if (state.patch !== undefined || !isReady(state.summary)) inTrouble.add(resource)
  }
  // an object that is both modified and not ready is counted once, as modified
  const notReady = inTrouble.size - changed
  const counts = { desiredReady: resources.length + missing, missing, orphaned: leftOver.length, modified: changed, notReady }
  const ready = resources.length - inTrouble.size
  modified.sort(byKindAndName)
  nonReady.sort((left, right) => compare(left.uid, right.uid))
  return {
    ready: nonReady.length === 0,
    nonModified: modified.length === 0,
    nonReadyStatus: nonReady.slice(0, STATUS_LIST_LIMIT),
    modifiedStatus: modified.slice(0, STATUS_LIST_LIMIT),
    incompleteState: nonReady.length > STATUS_LIST_LIMIT || modified.length > STATUS_LIST_LIMIT,
    resources: fittingResources(resources.sort(byKindAndName), inTrouble),
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
      ...(message.length > 0 ? { message: cutAll(message) } : {}),
    },
  }
}

/** Messages up to the limit for all of them; the last one may be cut. */
function cutAll(messages: readonly string[]): string[] {
  let room = STATUS_TEXT_LIMIT
  const kept: string[] = []
  for (const message of messages) {
    if (room <= 0) break
    kept.push(cut(message, room))
    room -= message.length
  }
  return kept
}

function cut(text: string, room = STATUS_TEXT_LIMIT): string {
  return text.length <= room ? text : `${text.slice(0, room - 1).toWellFormed()}…`
}

/** By `apiVersion/kind/namespace/name` as one text: dashboards read the first entries, so the order is that of other agents. */
function byKindAndName(left: ObjectRef, right: ObjectRef): number {
  return compare(sortKey(left), sortKey(right))
}

function sortKey({ apiVersion, kind, namespace = '', name }: ObjectRef): string {
  return `${apiVersion}/${kind}/${namespace}/${name}`
}

function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
