// Dates. The local zone is UTC; the present is known only where the renderer lends its clock.
import { formatDuration, parseDuration } from '../../duration/duration.ts'
import { fail } from '../errors.ts'
import { addNanoseconds, formatInstant, type Instant, ZERO } from '../time/instant.ts'
import { parseInstant } from '../time/parse.ts'
import { loadZone, UTC, type Zone } from '../time/zone.ts'
import { GoInt, type Run, type Value } from '../values/value.ts'
import { define, defineWith, type FunctionTable } from './define.ts'
import { instantOf, TimeValue } from './time-value.ts'

const SECOND = 1_000_000_000n
const ZONE_STEPS = 200
/** The units of `durationRound`, in seconds. */
const UNITS: readonly (readonly [seconds: bigint, name: string])[] = [
  [31_536_000n, 'y'],
  [2_592_000n, 'mo'],
  [86_400n, 'd'],
  [3_600n, 'h'],
  [60n, 'm'],
  [1n, 's'],
]

const inZone = defineWith(['string', 'any', 'string'], (run, layout, date, zone) => formatIn(run, layout, date, zone))
const modify = define(['string', 'time'], (text, date) => {
  const nanoseconds = durationFrom(text)
  return nanoseconds === undefined ? date : new TimeValue(addNanoseconds(instantOf(date), nanoseconds))
})
const mustModify = define(['string', 'time'], (text, date) => {
  const nanoseconds = durationFrom(text)
  return nanoseconds === undefined ? fail('invalid duration') : new TimeValue(addNanoseconds(instantOf(date), nanoseconds))
})

/** Functions of dates and durations. */
export const DATES: FunctionTable = {
  now: defineWith([], (run) => new TimeValue(present(run, 'now'))),
  ago: defineWith(['any'], (run, date) => formatDuration(elapsed(run, 'ago', dateFrom(run, 'ago', date)))),
  date: defineWith(['string', 'any'], (run, layout, date) => formatIn(run, layout, date, 'Local')),
  dateInZone: inZone,
  date_in_zone: inZone,
  htmlDate: defineWith(['any'], (run, date) => formatIn(run, '2006-01-02', date, 'Local')),
  htmlDateInZone: defineWith(['any', 'string'], (run, date, zone) => formatIn(run, '2006-01-02', date, zone)),
  dateModify: modify,
  date_modify: modify,
  mustDateModify: mustModify,
  must_date_modify: mustModify,
  toDate: defineWith(['string', 'string'], (run, layout, text) => new TimeValue(parsed(run, layout, text) ?? ZERO)),
  mustToDate: defineWith(['string', 'string'], (run, layout, text) => {
    return new TimeValue(parsed(run, layout, text) ?? fail(`cannot parse the time as ${JSON.stringify(layout)}`))
  }),
  unixEpoch: define(['time'], (date) => String(instantOf(date).seconds)),
  duration: define(['any'], (value) => formatDuration(BigInt.asIntN(64, secondsFrom(value) * SECOND))),
  durationRound: defineWith(['any'], (run, value) => rounded(run, value)),
}

function parsed(run: Run, layout: string, text: string): Instant | undefined {
  run.meter.step(layout.length)
  return parseInstant(layout, text)
}

function present({ now }: Run, name: string): Instant {
  if (!now) fail(`${name} is not available: it would give another result on every run`)
  const milliseconds = now()
  const seconds = Math.floor(milliseconds / 1_000)
  return { seconds, nanoseconds: Math.floor((milliseconds - seconds * 1_000) * 1e6), zone: UTC }
}

/** A time, or seconds since 1970; anything else means now. */
function dateFrom(run: Run, name: string, value: Value): Instant {
  if (value instanceof TimeValue) return value.instant
  const seconds = typeof value === 'bigint' ? value : value instanceof GoInt && value.type === 'int64' ? value.value : undefined
  if (seconds === undefined) return present(run, `${name} without a date`)
  if (seconds > 2n ** 52n || seconds < -(2n ** 52n)) fail('the date is out of range')
  return { seconds: Number(seconds), nanoseconds: 0, zone: UTC }
}

function formatIn(run: Run, layout: string, value: Value, zone: string): string {
  run.meter.step(layout.length)
  return formatInstant({ ...dateFrom(run, 'date', value), zone: zoneOf(run, zone) }, layout)
}

/** The zone of a name, UTC if there is none. Looking into a zone is slow. */
function zoneOf(run: Run, name: string): Zone {
  if (name === 'Local') return UTC
  run.meter.step(ZONE_STEPS)
  return run.remember(`zone ${name}`, () => loadZone(name) ?? UTC)
}

function durationFrom(text: string): bigint | undefined {
  try {
    return parseDuration(text)
  } catch {
    // its only error: the text is no duration
    return undefined
  }
}

function secondsFrom(value: Value): bigint {
  if (value instanceof GoInt && value.type === 'int64') return value.value
  if (typeof value !== 'string' || !/^[+-]?\d+$/.test(value)) return 0n
  const seconds = BigInt(value.replace(/^\+/, ''))
  const most = 2n ** 63n - 1n
  return seconds > most ? most : seconds < -most - 1n ? -most - 1n : seconds
}

function elapsed(run: Run, name: string, since: Instant): bigint {
  const seconds = present(run, name).seconds - since.seconds
  return BigInt(seconds) * SECOND
}

function rounded(run: Run, value: Value): string {
  const nanoseconds = nanosecondsFrom(run, value)
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  const unit = UNITS.find(([seconds]) => size > seconds * SECOND)
  return unit ? `${size / (unit[0] * SECOND)}${unit[1]}` : '0s'
}

function nanosecondsFrom(run: Run, value: Value): bigint {
  if (typeof value === 'string') return durationFrom(value) ?? 0n
  if (value instanceof GoInt && value.type === 'int64') return value.value
  return value instanceof TimeValue ? elapsed(run, 'durationRound of a date', value.instant) : 0n
}
