// When a repository is asked next.
import { intervalMs } from '../lib/duration/duration.ts'

/** Default of `pollingInterval` (spec 0.4). */
const DEFAULT_INTERVAL_MS = 15_000
/** Errors never keep us away for longer, unless the interval itself is longer. */
const MAX_BACKOFF_MS = 600_000
const JITTER = 0.1
/** How many polls without news go by before `lastPollingTriggered` is written, and how much time at least. */
const RECORD_EVERY_POLLS = 15
const MIN_RECORD_MS = 30_000

/** Milliseconds of `pollingInterval`; absent, zero and negative ones are the default. */
export function pollingIntervalMs(interval: string | null | undefined): number {
  return intervalMs(interval, DEFAULT_INTERVAL_MS)
}

export interface PollOutlook {
  readonly intervalMs: number
  /** Failed polls in a row that say something about the server. */
  readonly failures: number
  /** How long the server asked us to stay away. */
  readonly retryAfterMs?: number | undefined
}

/**
 * Milliseconds from the start of one poll to the next: the interval, doubled with each failure in a row up to ten minutes, plus up to a tenth.
 * `random` is in [0, 1). With an infinite interval (polling disabled) a failed poll is repeated all the same.
 */
export function nextPollMs({ intervalMs, failures, retryAfterMs = 0 }: PollOutlook, random: number): number {
  if (failures === 0) return intervalMs + jitter(intervalMs, random)
  const base = Number.isFinite(intervalMs) ? intervalMs : DEFAULT_INTERVAL_MS
  const backoff = Math.max(base, Math.min(base * 2 ** (failures - 1), MAX_BACKOFF_MS), retryAfterMs)
  return backoff + jitter(backoff, random)
}

function jitter(ms: number, random: number): number {
  return Number.isFinite(ms) ? ms * JITTER * random : 0
}

/** Milliseconds after which `lastPollingTriggered` is written although nothing else has changed: a sign of life that costs next to nothing. */
export function recordEveryMs(intervalMs: number): number {
  return Math.max(MIN_RECORD_MS, RECORD_EVERY_POLLS * intervalMs)
}
