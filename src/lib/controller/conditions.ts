// Conditions as the Fleet kinds have them: `lastUpdateTime` is touched only when status or message changes, `lastTransitionTime` is never written (spec 1).

import { messageOf, reasonOf } from './errors.ts'

export interface Condition {
  type: string
  /** True, False or Unknown. */
  status: string
  lastUpdateTime?: string | undefined
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

/** What a controller says about a condition; an empty reason or message is left out. */
export interface ConditionUpdate {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string | undefined
  message?: string | undefined
}

/** Longest message of a condition in characters; what is longer is cut, so that no input makes a status grow without bounds. */
const MAX_MESSAGE = 8_192

/** The condition of a type, if there is one. */
export function getCondition<C extends Condition>(conditions: readonly C[] | null | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** Whether the condition of a type is there and True. */
export function isConditionTrue(conditions: readonly Condition[] | null | undefined, type: string): boolean {
  return getCondition(conditions, type)?.status === 'True'
}

/**
 * The conditions with one of them set. Returns the given array itself if nothing changed, and never modifies it.
 * `now` is in milliseconds. A new condition goes to the end; other fields of a known one stay.
 */
export function setCondition(conditions: Condition[] | null | undefined, update: ConditionUpdate, now: number): Condition[] {
  const list = conditions ?? []
  const old = getCondition(list, update.type)
  const next = merge(old, update, now)
  if (!old) return [...list, next]
  if (old.status === next.status && (old.reason ?? '') === (next.reason ?? '') && (old.message ?? '') === (next.message ?? '')) return list
  return list.map((condition) => (condition === old ? next : condition))
}

function merge(old: Condition | undefined, update: ConditionUpdate, now: number): Condition {
  const { reason, message, ...rest } = old ?? { type: update.type, status: 'Unknown' }
  const nextMessage = bounded(update.message ?? '')
  const touched = old?.status !== update.status || (message ?? '') !== nextMessage
  return {
    ...rest,
    status: update.status,
    ...(touched ? { lastUpdateTime: formatTime(now) } : {}),
    ...(update.reason ? { reason: update.reason } : {}),
    ...(nextMessage ? { message: nextMessage } : {}),
  }
}

/** Conditions without the one of a type; the given array itself if it has none. */
export function removeCondition(conditions: Condition[] | null | undefined, type: string): Condition[] {
  const list = conditions ?? []
  return getCondition(list, type) ? list.filter((condition) => condition.type !== type) : list
}

/** True, without reason and message. */
export function trueCondition(type: string): ConditionUpdate {
  return { type, status: 'True' }
}

/** False with the reason and message of an error (reason `Error` if it carries none); True if there is no error. */
export function errorCondition(type: string, error: unknown): ConditionUpdate {
  if (error === undefined || error === null) return trueCondition(type)
  return { type, status: 'False', reason: reasonOf(error), message: messageOf(error) }
}

/** A time (milliseconds) as the API writes it: RFC 3339 in UTC, to the second. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function bounded(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1).toWellFormed()}…`
}
