// Waiting in tests: until something holds, never for a fixed time.
import { setTimeout as pause } from 'node:timers/promises'

interface Patience {
  readonly timeoutMs?: number
  readonly everyMs?: number
  /** what is waited for, in the message of the failure */
  readonly what?: string
}

/** Calls `check` until it returns without throwing; the last error is part of the failure's message. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 60_000, everyMs = 100, what = 'condition' }: Patience = {},
): Promise<T> {
  const until = Date.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() >= until)
        throw new Error(`${what}: not so after ${timeoutMs} ms: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        })
    }
    await pause(everyMs)
  }
}

/** Calls `check` for a while; fails as soon as it throws. For what must not happen. */
export async function consistently(
  check: () => unknown,
  { forMs = 3_000, everyMs = 200 }: { readonly forMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const until = Date.now() + forMs
  while (Date.now() < until) {
    await check()
    await pause(everyMs)
  }
}

/** Waits until nothing was added to a list for a while: what a test has set going has come to its end. */
export async function quiet(list: readonly unknown[], forMs = 1_000): Promise<void> {
  const until = Date.now() + 60_000
  for (let seen = -1; seen !== list.length; ) {
    if (Date.now() >= until) throw new Error(`no end in sight: ${JSON.stringify(list.slice(-5))}`)
    seen = list.length
    await pause(forMs)
  }
}
