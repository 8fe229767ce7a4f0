// When a roll-up is written: at once for a single change after a quiet time, and a few times per burst however long it goes on.
import type { Clock } from '../lib/controller/clock.ts'

/** Times in milliseconds. */
export interface Pace {
  /** While writes follow each other, a write waits until nothing has changed for so long … */
  quietMs: number
  /** … but not longer than this after the first change that is not written yet. */
  maxWaitMs: number
  /** After so long without a write, the next one does not wait; absent: it always does. */
  idleMs?: number
}

/** Keeps the pace for each key on its own. */
export interface Pacer {
  /** Something that the roll-up is made of has changed. */
  touch(key: string): void
  /** How long a write still has to wait; 0 if it is due. With `minAgeMs` it waits that long after the first change in any case. */
  waitMs(key: string, minAgeMs?: number): number
  /** All changes up to now are accounted for, by a write or because they make no difference. */
  settle(key: string, written: boolean): void
  forget(key: string): void
}

interface Times {
  first: number | undefined
  last: number
  written: number
}

/** A pacer for any number of keys. Remembers a few numbers for each until it is forgotten. */
export function createPacer(clock: Clock, { quietMs, maxWaitMs, idleMs }: Pace): Pacer {
  const keys = new Map<string, Times>()

  function touch(key: string): void {
    const now = clock.now()
    const times = keys.get(key)
    if (!times) keys.set(key, { first: now, last: now, written: -Infinity })
    else Object.assign(times, { first: times.first ?? now, last: now })
  }

  function waitMs(key: string, minAgeMs = 0): number {
    const times = keys.get(key)
    if (times?.first === undefined) return 0
    const now = clock.now()
    const due = idleMs !== undefined && now - times.written >= idleMs ? now : Math.min(times.last + quietMs, times.first + maxWaitMs)
    return Math.max(due, times.first + minAgeMs, now) - now
  }

  function settle(key: string, written: boolean): void {
    const times = keys.get(key)
    if (written) keys.set(key, { first: undefined, last: 0, written: clock.now() })
    else if (times) times.first = undefined
  }

  return { touch, waitMs, settle, forget: (key) => void keys.delete(key) }
}
