import type { CronExpression } from './parse.ts'
import type { TimeZone } from './time-zone.ts'
import { nextOnWall } from './wall-clock.ts'

/** Dates before and after are left alone: years are taken to have four digits. */
const EARLIEST = Date.UTC(1_000, 0, 1)
const LATEST = Date.UTC(9_000, 0, 1)

/**
 * The first instant after `after` (both in milliseconds since 1970, UTC) at which the expression starts in a time zone, undefined if it never does again.
 * The search ends after the 400 years in which the calendar repeats itself.
 *
 * A clock that is set forward starts at the moment of the change what it skips. What a clock that is set back shows twice starts the first time only.
 *
 *     next(parseCron('0 0 2 * * ?'), clock.now(), createTimeZone('Europe/Berlin'))
 */
export function next(cron: CronExpression, after: number, zone: TimeZone): number | undefined {
  if (!(after < LATEST)) return undefined
  const from = Math.max(after, EARLIEST)
  const wall = nextOnWall(cron, lastWallUntil(from, zone))
  return wall === undefined ? undefined : zone.instantOf(wall)
}

/**
 * The latest wall time that has started by an instant: what the clock shows, except within an hour that it shows for the second time.
 * Everything in that hour is over, so the search goes on at its end.
 */
function lastWallUntil(instant: number, zone: TimeZone): number {
  const second = Math.floor(instant / 1_000) * 1_000
  const wall = zone.wallAt(second)
  const repeatedMs = second - zone.instantOf(wall)
  if (repeatedMs <= 0) return wall
  let [low, high] = [wall / 1_000, (wall + repeatedMs) / 1_000]
  // the last wall time whose instant is not after ours
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zone.instantOf(middle * 1_000) <= second) low = middle
    else high = middle
  }
  return low * 1_000
}
