// When a registry is asked next.
import { intervalMs } from '../lib/duration/duration.ts'
import type { Answer } from './questions.ts'

/** Default of `interval` (spec 0.4). */
const DEFAULT_INTERVAL_MS = 15 * 60_000
/** First pause after an error. */
const RETRY_MS = 30_000
/** Errors never keep us away for longer, unless the interval itself is longer. */
const MAX_BACKOFF_MS = 600_000
const JITTER = 0.1

/** Milliseconds of an interval between scans, or between commits; absent, zero and negative ones are the default. */
export function intervalMsOf(interval: string | null | undefined): number {
  return intervalMs(interval, DEFAULT_INTERVAL_MS)
}

/**
 * Milliseconds from one question to the next: the interval plus up to a tenth. After an error half a minute, doubled with each error in a row up to the
 * interval (or ten minutes, if that is more), but not before the registry wants us back.
 */
export function nextQuestionMs(intervalMs: number, answer: Answer): number {
  return delayMs(intervalMs, answer) * (1 + JITTER * answer.jitter)
}

function delayMs(intervalMs: number, answer: Answer): number {
  if (answer.failures === 0) return intervalMs
  const backoff = Math.min(intervalMs, RETRY_MS) * 2 ** (answer.failures - 1)
  return Math.max(Math.min(backoff, Math.max(intervalMs, MAX_BACKOFF_MS)), retryAfterMs(answer))
}

function retryAfterMs(answer: Answer): number {
  const { error } = answer as { error?: { retryAfterMs?: unknown } }
  return typeof error?.retryAfterMs === 'number' ? error.retryAfterMs : 0
}
