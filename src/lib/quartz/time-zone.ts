// Time zones by the rules that come with the runtime.

/** A time zone. Instants are milliseconds since 1970 in UTC; wall times are what a clock there shows, as milliseconds of a UTC date. */
export interface TimeZone {
  readonly name: string
  /** What the clock shows at an instant. */
  wallAt(instant: number): number
  /**
   * When the clock shows a wall time. Where it is set back, a wall time that comes twice means the first; where it is set forward,
   * one that never comes means the moment of the change. So later wall times never give earlier instants.
   */
  instantOf(wall: number): number
}

/** A clock is not set twice within so long, and differs from UTC by less. */
const SURELY_MS = 86_400_000

/** The time zone of an IANA name (`Europe/Berlin`, `UTC`). Throws an Error that quotes a name that is unknown. */
export function createTimeZone(name: string): TimeZone {
  const offsetAt = offsetsOf(name)

  function instantOf(wall: number): number {
    const [before, after] = [offsetAt(wall - SURELY_MS), offsetAt(wall + SURELY_MS)]
    const early = wall - Math.max(before, after)
    const late = wall - Math.min(before, after)
    const isOf = (instant: number): boolean => instant + offsetAt(instant) === wall
    if (isOf(early)) return early
    if (isOf(late)) return late
    return changeWithin(offsetAt, early, late)
  }

  return { name, wallAt: (instant) => instant + offsetAt(instant), instantOf }
}

/** The first second of (early, late] at which the offset is the one of `late`. */
function changeWithin(offsetAt: (instant: number) => number, early: number, late: number): number {
  const offset = offsetAt(late)
  let [low, high] = [Math.floor(early / 1_000), Math.ceil(late / 1_000)]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle * 1_000) === offset) high = middle
    else low = middle
  }
  return high * 1_000
}

/** How far the clock is ahead of UTC at an instant, in milliseconds. */
function offsetsOf(name: string): (instant: number) => number {
  const format = formatOf(name)
  if (/^(etc\/)?(utc|gmt)$/i.test(name)) return () => 0
  return (instant) => {
    const second = Math.floor(instant / 1_000) * 1_000
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, seconds = 0] = format.format(second).match(/\d+/g)?.map(Number) ?? []
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const digits = '2-digit' as const
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: digits,
      day: digits,
      hour: digits,
      minute: digits,
      second: digits,
    })
  } catch {
    throw new Error(`${JSON.stringify(timeZone)} is not a time zone: write an IANA name such as Europe/Berlin or UTC`)
  }
}
