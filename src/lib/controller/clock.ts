// Time comes in as an argument everywhere, so that tests decide what time it is.

/** Source of time and timers. `now` and delays are in milliseconds. */
export interface Clock {
  now(): number
  setTimeout(fn: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
}

/** The longest delay a timer of the runtime can hold (a longer one would fire at once). */
const MAX_TIMER_MS = 2_147_483_647

/** The clock of the machine. Delays beyond 24 days fire after 24 days: whoever waits longer asks again. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, Math.min(Math.max(ms, 0), MAX_TIMER_MS)),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
}

/**
 * Resolves after `ms` milliseconds; rejects with the reason of `signal` as soon as that is aborted.
 *
 *     await sleep(clock, 5_000, signal)
 */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  const end = clock.now() + ms
  for (let left = ms; left > 0; left = end - clock.now()) await wait(clock, Math.min(left, MAX_TIMER_MS), signal)
}

function wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const handle = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    function onAbort(): void {
      clock.clearTimeout(handle)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
