// When a schedule is open. Everything follows from its spec and the time, so nothing has to be remembered (spec 5.7).
import type { ScheduleSpec } from '../api/schedule.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { formatDuration, parseDuration } from '../lib/duration/duration.ts'
import { next } from '../lib/quartz/next.ts'
import { type CronExpression, parseCron } from '../lib/quartz/parse.ts'
import { createTimeZone, type TimeZone } from '../lib/quartz/time-zone.ts'

/** The windows of a schedule. */
export interface Windows {
  readonly cron: CronExpression
  readonly zone: TimeZone
  readonly durationMs: number
}

/** How a schedule stands at a time. Times are in milliseconds since 1970. */
export interface WindowState {
  readonly active: boolean
  /** When the next window opens; undefined if none does again. */
  readonly nextStart: number | undefined
  /** When this is not true any more; undefined: it stays so. */
  readonly until: number | undefined
}

/** How many starts in a row are looked at to see whether windows overlap: more than enough for a pattern to show its shortest gap. */
const LOOKED_AT = 64

/**
 * Reads the times out of a spec. Throws TerminalError, with a message for its author, if they cannot be used.
 * `localZone` is the name of the time zone that holds where none is given, or `Local`.
 */
export function windowsOf(spec: ScheduleSpec, now: number, localZone: string): Windows {
  const location = spec.location || 'Local'
  const zone = explained('location', () => createTimeZone(location === 'Local' ? localZone : location))
  const cron = explained('schedule', () => parseCron(spec.schedule ?? ''))
  const durationMs = Number(explained('duration', () => parseDuration(spec.duration ?? '0s')) / 1_000_000n)
  if (durationMs <= 0) throw new TerminalError('duration is not positive: say how long deployments are allowed, such as 30m or 4h')
  const gapMs = shortestGap(cron, now)
  if (gapMs !== undefined && durationMs >= gapMs) {
    const [window, gap] = [durationMs, gapMs].map((ms) => formatDuration(BigInt(ms) * 1_000_000n))
    throw new TerminalError(
      `duration is too long: a window of ${window} is still open when the next one starts ${gap} after it; shorten it to less than ${gap}`,
    )
  }
  return { cron, zone, durationMs }
}

function explained<T>(field: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new TerminalError(`${field}: ${messageOf(error)}`, { cause: error })
  }
}

/** In UTC: a day on which the clock is set forward must not make a daily schedule invalid. */
function shortestGap(cron: CronExpression, now: number): number | undefined {
  const utc = createTimeZone('UTC')
  let shortest: number | undefined
  let start = next(cron, now, utc)
  for (let seen = 1; seen < LOOKED_AT && start !== undefined; seen++) {
    const following = next(cron, start, utc)
    if (following !== undefined) shortest = Math.min(shortest ?? Number.POSITIVE_INFINITY, following - start)
    start = following
  }
  return shortest
}

/** How the windows stand at a time: a window is open from its start until, and without, its end. */
export function windowAt({ cron, zone, durationMs }: Windows, now: number): WindowState {
  const nextStart = next(cron, now, zone)
  const start = next(cron, now - durationMs, zone)
  if (start === undefined || start > now) return { active: false, nextStart, until: nextStart }
  return { active: true, nextStart, until: Math.min(start + durationMs, nextStart ?? Number.POSITIVE_INFINITY) }
}
