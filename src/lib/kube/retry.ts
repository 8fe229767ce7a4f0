// Which failed requests are sent again, and when.
import { ApiError, ConnectionError, isTooLargeResourceVersion } from './errors.ts'

/** Tries of one request, the first included. The time limit of the call may end them earlier. */
const MAX_ATTEMPTS = 8
/** A 429 without Retry-After, as proxies send it. */
const DEFAULT_RETRY_AFTER_MS = 1_000
/** Pause before a read is repeated after its connection broke. */
const RECONNECT_MS = 50

export interface FailedAttempt {
  method: string
  /** Attempts so far. */
  attempts: number
  /** A number in [0, 1). */
  random: () => number
}

/**
 * How long to wait before the request is sent again, in milliseconds; undefined: not again. Refusals with Retry-After mean that nothing was done,
 * whatever the verb. A broken connection leaves open what was done, so only reads are repeated, once.
 */
export function retryDelayMs(error: unknown, { method, attempts, random }: FailedAttempt): number | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined
  if (error instanceof ApiError) {
    const wait = waitOf(error)
    // spread, so that those refused together do not come back together
    return wait === undefined ? undefined : wait * (1 + 0.25 * random())
  }
  const broken = error instanceof ConnectionError && !['TIMEOUT', 'TOO_LARGE', 'MALFORMED', 'CLOSED'].includes(error.code)
  return broken && method === 'GET' && attempts === 1 ? RECONNECT_MS * (1 + random()) : undefined
}

function waitOf(error: ApiError): number | undefined {
  if (isTooLargeResourceVersion(error)) return undefined // the caller knows what to ask for instead
  const { status, retryAfterMs } = error
  if (status === 429) return retryAfterMs ?? DEFAULT_RETRY_AFTER_MS
  return status >= 500 ? retryAfterMs : undefined
}

/** The Retry-After header (seconds or an HTTP date) in milliseconds; undefined when absent or senseless. */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim()
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0)
}
