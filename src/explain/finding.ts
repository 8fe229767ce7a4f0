// What was found at a link, about one object.
import type { Condition } from '../api/status.ts'
import { formatTime, getCondition } from '../lib/controller/conditions.ts'
import type { LinkName, LinkState } from './types.ts'

export interface Finding {
  readonly link: LinkName
  readonly state: Exclude<LinkState, 'ok'>
  /** One word for programs. */
  readonly reason: string
  /** For people; names the object, and what to do. */
  readonly message: string
  readonly since?: string | undefined
  readonly nextTry?: string | undefined
  /** What makes it the same case on several clusters; the reason if absent. */
  readonly sameAs?: string | undefined
  /** It only waits for others that are looked at too: they are more worth looking at. */
  readonly isConsequence?: boolean | undefined
}

/** Longest text that is taken over from a status, in characters. */
const MAX_TEXT = 2_048

/** A text out of a status, cut to a length that can be read. */
export function quoted(text: string | undefined): string {
  const all = (text ?? '').trim()
  return all.length <= MAX_TEXT ? all : `${all.slice(0, MAX_TEXT - 1).toWellFormed()}…`
}

/** The condition of a type if it has this status. */
export function conditionWith(
  conditions: readonly Condition[] | null | undefined,
  type: string,
  status: 'True' | 'False' | 'Unknown',
): Condition | undefined {
  const condition = getCondition(conditions, type)
  return condition?.status === status ? condition : undefined
}

/** A time that can be read, as it stands in a status; undefined for anything else. */
export function timeIn(text: unknown): string | undefined {
  return typeof text === 'string' && !Number.isNaN(Date.parse(text)) ? text : undefined
}

/** When a condition got its message. */
export function sinceOf(condition: Condition | undefined): string | undefined {
  return timeIn(condition?.lastUpdateTime)
}

/** A moment after now; undefined for what has passed. */
export function upcoming(ms: number, now: number): string | undefined {
  return Number.isFinite(ms) && ms > now && ms < 8.64e15 ? formatTime(ms) : undefined
}

/** A text with a full stop's worth of separation before a hint. */
export function withHint(text: string, hint: string): string {
  return text === '' ? hint : `${text}: ${hint}`
}
