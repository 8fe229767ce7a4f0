// The pauses between deletions: short at first, longer the more there is to delete.
import { UsageError } from '../exit.ts'

/** Milliseconds. */
export interface Pace {
  readonly min: number
  readonly max: number
  /** how much longer each pause may be than the one before */
  readonly factor: number
}

/** Throws UsageError for pauses that make no sense. */
export function checkedPace({ min, max, factor }: Pace): Pace {
  if (min <= 0) throw new UsageError('--min must be more than zero')
  if (max <= 0) throw new UsageError('--max must be more than zero')
  if (max < min) throw new UsageError(`--max (${max}ms) must not be less than --min (${min}ms)`)
  if (!(factor > 1)) throw new UsageError('--factor must be more than 1')
  return { min, max, factor }
}

/** The pause before the deletion with this number, from 0, in milliseconds; `random` is in [0, 1). */
export function pauseMs({ min, max, factor }: Pace, count: number, random: number): number {
  const longest = Math.min(min * factor ** count, max)
  return min + random * (longest - min)
}
