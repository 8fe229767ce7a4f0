import { fail } from '../errors.ts'
import { MONTHS, secondsOf, WEEKDAYS } from '../time/calendar.ts'
import { addNanoseconds, civilAt, compareInstants, formatInstant, type Instant, ZERO } from '../time/instant.ts'
import { UTC } from '../time/zone.ts'
import { duration, type GoFunction, GoObject, int64, namedInt, type Value } from '../values/value.ts'
import { define } from './define.ts'

const NANOSECONDS = 1_000_000_000n

/** A time.Time with the methods that templates have use for. */
export class TimeValue extends GoObject {
  readonly type = 'time.Time'
  readonly kind = 'struct'
  readonly instant: Instant

  constructor(instant: Instant) {
    super()
    this.instant = instant
  }

  text(): string {
    return formatInstant(this.instant, '2006-01-02 15:04:05.999999999 -0700 MST')
  }

  fields(): readonly (readonly [string, Value])[] {
    return []
  }

  json(): Value {
    return formatInstant(this.instant, '2006-01-02T15:04:05.999999999Z07:00')
  }

  equals(other: GoObject): boolean {
    return (
      other instanceof TimeValue && compareInstants(this.instant, other.instant) === 0 && this.instant.zone.name === other.instant.zone.name
    )
  }

  method(name: string): GoFunction | undefined {
    return Object.hasOwn(METHODS, name) ? METHODS[name]?.(this.instant) : undefined
  }
}

type Method = (receiver: Instant) => GoFunction

const int = (value: number) => define([], () => BigInt(value))

const METHODS: Readonly<Record<string, Method>> = {
  Year: (receiver) => int(civilAt(receiver).year),
  Month: (receiver) => define([], () => month(civilAt(receiver).month)),
  Day: (receiver) => int(civilAt(receiver).day),
  YearDay: (receiver) => int(civilAt(receiver).yearDay),
  Weekday: (receiver) => define([], () => weekday(civilAt(receiver).weekday)),
  Hour: (receiver) => int(civilAt(receiver).hour),
  Minute: (receiver) => int(civilAt(receiver).minute),
  Second: (receiver) => int(civilAt(receiver).second),
  Nanosecond: ({ nanoseconds }) => int(nanoseconds),
  Unix: ({ seconds }) => define([], () => int64(BigInt(seconds))),
  UnixMilli: (receiver) => define([], () => int64(total(receiver) / 1_000_000n)),
  UnixMicro: (receiver) => define([], () => int64(total(receiver) / 1_000n)),
  UnixNano: (receiver) => define([], () => int64(total(receiver))),
  String: (receiver) => define([], () => new TimeValue(receiver).text()),
  Format: (receiver) => define(['string'], (layout) => formatInstant(receiver, layout)),
  UTC: (receiver) => define([], () => new TimeValue({ ...receiver, zone: UTC })),
  Local: (receiver) => define([], () => new TimeValue({ ...receiver, zone: UTC })),
  IsZero: (receiver) => define([], () => compareInstants(receiver, ZERO) === 0),
  Add: (receiver) => define(['duration'], ({ value }) => new TimeValue(addNanoseconds(receiver, value))),
  AddDate: (receiver) =>
    define(['int', 'int', 'int'], (years, months, days) => new TimeValue(addDate(receiver, Number(years), Number(months), Number(days)))),
  Sub: (receiver) => define(['time'], (other) => duration(total(receiver) - total(instantOf(other)))),
  After: (receiver) => define(['time'], (other) => compareInstants(receiver, instantOf(other)) > 0),
  Before: (receiver) => define(['time'], (other) => compareInstants(receiver, instantOf(other)) < 0),
  Equal: (receiver) => define(['time'], (other) => compareInstants(receiver, instantOf(other)) === 0),
  Compare: (receiver) => define(['time'], (other) => BigInt(Math.sign(compareInstants(receiver, instantOf(other))))),
  Truncate: (receiver) => define(['duration'], ({ value }) => new TimeValue(truncated(receiver, value))),
}

function month(number: number): Value {
  return namedInt('time.Month', 'int', BigInt(number), (value) => MONTHS[Number(value) - 1] ?? '')
}

function weekday(number: number): Value {
  return namedInt('time.Weekday', 'int', BigInt(number), (value) => WEEKDAYS[Number(value)] ?? '')
}

/** Nanoseconds since 1970. */
function total({ seconds, nanoseconds }: Instant): bigint {
  return BigInt(seconds) * NANOSECONDS + BigInt(nanoseconds)
}

/** The instant in a value of which the type is known to be time.Time. */
export function instantOf(value: GoObject): Instant {
  return value instanceof TimeValue ? value.instant : fail('not a time')
}

/** Calendar arithmetic: the 31st of a shorter month is a day of the next. */
function addDate(instant: Instant, years: number, months: number, days: number): Instant {
  const civil = civilAt(instant)
  const local = secondsOf(civil.year + years, civil.month + months, civil.day + days, civil.hour, civil.minute, civil.second)
  if (!Number.isSafeInteger(local)) fail('the date is out of range')
  const offset = instant.zone.offsetAt(local - instant.zone.offsetAt(local))
  return { ...instant, seconds: local - offset }
}

/** Down to a multiple of the duration since the year 1. */
function truncated(instant: Instant, size: bigint): Instant {
  return size <= 0n ? instant : addNanoseconds(instant, -((total(instant) - total(ZERO)) % size))
}
