// Many deployments in a few numbers and one sentence (spec 1.2, 7.7). The strings are read by dashboards and people: part of the wire contract.
import { type BundleState, stateRank } from './state.ts'
import type { BundleSummary, ModifiedStatus, NonReadyResource, NonReadyStatus, ResourceCounts } from './status.ts'
import { modifiedText, nonReadyText } from './status-text.ts'

/** One deployment of a summary. */
export interface SummaryEntry {
  /** Under which it is listed if it is not ready; not listed if empty. */
  name: string
  state: BundleState | string
  message?: string | undefined
  modifiedStatus?: readonly ModifiedStatus[] | null | undefined
  nonReadyStatus?: readonly NonReadyStatus[] | null | undefined
}

/** How many deployments that are not ready a summary lists. */
const MAX_LISTED = 10
/** How many objects of each kind of trouble the ready message names. */
const MAX_NAMED = 4
/** Longest message of a listed deployment, in characters. */
const MAX_MESSAGE = 4_096
/** Size of the objects that a summary lists, in characters of JSON; the rest is left out, so that no status outgrows what can be stored. */
const MAX_DETAILS = 64 * 1_024

const COUNTERS: Readonly<Record<BundleState, Exclude<keyof BundleSummary, 'nonReadyResources'>>> = {
  Ready: 'ready',
  NotReady: 'notReady',
  WaitApplied: 'waitApplied',
  ErrApplied: 'errApplied',
  OutOfSync: 'outOfSync',
  Modified: 'modified',
  Pending: 'pending',
}

function counterOf(state: string): Exclude<keyof BundleSummary, 'nonReadyResources'> | undefined {
  return Object.hasOwn(COUNTERS, state) ? COUNTERS[state as BundleState] : undefined
}

/**
 * Counts deployments by state and lists the first ten that are not ready, in the order given. `ready` and `desiredReady` are always there,
 * other counters only if they are not zero.
 */
export function collectSummary(entries: Iterable<SummaryEntry>): BundleSummary {
  const summary: BundleSummary = { ready: 0, desiredReady: 0 }
  const listed: NonReadyResource[] = []
  let details = 0
  for (const entry of entries) {
    increase(summary, 'desiredReady', 1)
    const counter = counterOf(entry.state)
    if (counter) increase(summary, counter, 1)
    if (entry.state === 'Ready' || entry.name === '' || listed.length >= MAX_LISTED) continue
    const resource = nonReadyResource(entry, MAX_DETAILS - details)
    details += sizeOf(resource.modifiedStatus) + sizeOf(resource.nonReadyStatus)
    listed.push(resource)
  }
  return listed.length > 0 ? { ...summary, nonReadyResources: listed } : summary
}

function increase(summary: BundleSummary, counter: Exclude<keyof BundleSummary, 'nonReadyResources'>, by: number): void {
  if (by !== 0 || counter === 'ready' || counter === 'desiredReady') summary[counter] = (summary[counter] ?? 0) + by
}

function nonReadyResource(entry: SummaryEntry, room: number): NonReadyResource {
  const modifiedStatus = fitting(entry.modifiedStatus, room)
  const nonReadyStatus = fitting(entry.nonReadyStatus, room - sizeOf(modifiedStatus))
  return {
    name: entry.name,
    bundleState: entry.state,
    ...(entry.message ? { message: cut(entry.message) } : {}),
    ...(modifiedStatus ? { modifiedStatus } : {}),
    ...(nonReadyStatus ? { nonReadyStatus } : {}),
  }
}

function cut(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1).toWellFormed()}…`
}

/** The first objects that fit; undefined if there are none. */
function fitting<T>(objects: readonly T[] | null | undefined, room: number): T[] | undefined {
  const kept: T[] = []
  let left = room
  for (const object of objects ?? []) {
    left -= JSON.stringify(object).length
    if (left < 0) break
    kept.push(object)
  }
  return kept.length > 0 ? kept : undefined
}

function sizeOf(objects: readonly unknown[] | undefined): number {
  return (objects ?? []).reduce<number>((sum, object) => sum + JSON.stringify(object).length, 0)
}

/** The sum of two summaries. What the right one lists is appended as a whole while the left one lists less than ten (spec 12, 7.7). */
export function addSummaries(left: BundleSummary, right: BundleSummary): BundleSummary {
  const sum: BundleSummary = { ready: 0, desiredReady: 0 }
  for (const counter of ['desiredReady', ...Object.values(COUNTERS)] as const)
    increase(sum, counter, (left[counter] ?? 0) + (right[counter] ?? 0))
  const leftListed = left.nonReadyResources ?? []
  const listed = leftListed.length < MAX_LISTED ? [...leftListed, ...(right.nonReadyResources ?? [])] : leftListed
  return listed.length > 0 ? { ...sum, nonReadyResources: listed } : sum
}

/** The worst state that a summary lists; undefined if it lists none. */
export function summaryState(summary: BundleSummary): BundleState | undefined {
  let worst: string | undefined
  for (const { bundleState } of summary.nonReadyResources ?? []) if (stateRank(bundleState) > stateRank(worst)) worst = bundleState
  return worst as BundleState | undefined
}

/** Whether all deployments are ready. */
export function isSummaryReady(summary: BundleSummary | null | undefined): boolean {
  return (summary?.ready ?? 0) === (summary?.desiredReady ?? 0)
}

/**
 * The message of a Ready condition: for each state the number of deployments and the first of them, with what is wrong with its objects; sorted.
 * `word` says what the names of the summary are: Cluster in a Bundle, Bundle elsewhere. Empty if nothing is wrong.
 *
 *     NotReady(2) [Cluster ns/one]; deployment.apps ns/web [progressing] 1 of 2
 */
export function readyMessage(summary: BundleSummary, word: 'Cluster' | 'Bundle'): string {
  const pieces: string[] = []
  for (const [state, counter] of Object.entries(COUNTERS)) {
    const count = summary[counter] ?? 0
    const first =
      state === 'Ready' || count <= 0 ? undefined : summary.nonReadyResources?.find((resource) => resource.bundleState === state)
    if (first)
      pieces.push(`${state}(${count}) [${word} ${first.name ?? ''}${first.message ? `: ${first.message}` : ''}]`, ...troubles(first))
  }
  return pieces.sort(byCodePoint).join('; ')
}

function troubles({ modifiedStatus, nonReadyStatus }: NonReadyResource): string[] {
  return [...(modifiedStatus ?? []).slice(0, MAX_NAMED).map(modifiedText), ...(nonReadyStatus ?? []).slice(0, MAX_NAMED).map(nonReadyText)]
}

/** The order of Go's strings: by bytes of UTF-8. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const RESOURCE_COUNTERS = ['ready', 'desiredReady', 'waitApplied', 'modified', 'orphaned', 'missing', 'unknown', 'notReady'] as const

/** The sum of resource counts; all counters are there, zeros too. */
export function sumResourceCounts(counts: Iterable<ResourceCounts | null | undefined>): Required<ResourceCounts> {
  const sum = { ready: 0, desiredReady: 0, waitApplied: 0, modified: 0, orphaned: 0, missing: 0, unknown: 0, notReady: 0 }
  for (const one of counts) for (const counter of RESOURCE_COUNTERS) sum[counter] += one?.[counter] ?? 0
  return sum
}
