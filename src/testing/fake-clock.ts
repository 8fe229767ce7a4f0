import type { Clock } from '../lib/controller/clock.ts'

/** A clock that stands still until it is told otherwise. */
export interface FakeClock extends Clock {
  /** Moves on by `ms`, firing due timers in order and letting what they started go on after each. */
  advance(ms: number): Promise<void>
}

interface Timer {
  at: number
  order: number
  fn: () => void
}

/** A clock for tests, starting at `start` (milliseconds; default 2026-01-01T00:00:00Z). */
export function createFakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  const timers = new Set<Timer>()
  let now = start
  let order = 0

  function nextDue(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of timers) {
      if (timer.at > until) continue
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
    }
    return next
  }

  return {
    now: () => now,
    setTimeout(fn, ms) {
      const timer = { at: now + Math.max(ms, 0), order: order++, fn }
      timers.add(timer)
      return timer
    },
    clearTimeout(handle) {
      timers.delete(handle as Timer)
    },
    async advance(ms) {
      const until = now + ms
      await settle()
      for (let due = nextDue(until); due; due = nextDue(until)) {
        timers.delete(due)
        now = Math.max(now, due.at)
        due.fn()
        await settle()
      }
      now = until
    },
  }
}

/** Lets promises and immediates that are ready run, a few layers deep. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
