/** Delays between attempts that fail in a row, in milliseconds. */
export interface Backoff {
  /** Counts a failure and says how long to wait: between 0.8 s and a limit that doubles up to `maxMs` (30 s), at random, but not less than the server asked for. */
  next(retryAfterMs?: number, maxMs?: number): number
  readonly failures: number
  reset(): void
}

const MIN_MS = 800
const MAX_MS = 30_000
/** No server makes us wait longer than this. */
const MAX_RETRY_AFTER_MS = 120_000

/** A backoff for watches. `random` gives numbers in [0, 1). */
export function createBackoff(random: () => number): Backoff {
  let failures = 0
  return {
    get failures() {
      return failures
    },
    next(retryAfterMs = 0, maxMs = MAX_MS) {
      failures++
      const limit = Math.min(MIN_MS * 2 ** Math.min(failures, 16), maxMs)
      return Math.max(MIN_MS + random() * (limit - MIN_MS), Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))
    },
    reset() {
      failures = 0
    },
  }
}
