import { type Civil, civilOf, MONTHS, WEEKDAYS } from './calendar.ts'
import { type OffsetStyle, offsetStyle, parseLayout } from './layout.ts'
import { UTC, type Zone } from './zone.ts'

/** A moment and the zone in which it is looked at. */
export interface Instant {
  /** since 1970, whole */
  readonly seconds: number
  /** 0 to 999,999,999 */
  readonly nanoseconds: number
  readonly zone: Zone
}

/** What Go's zero time is: the first of January of the year 1. */
export const ZERO: Instant = { seconds: -62_135_596_800, nanoseconds: 0, zone: UTC }

/** Date and time of day in the instant's zone. */
export function civilAt({ seconds, zone }: Instant): Civil {
  return civilOf(seconds + zone.offsetAt(seconds))
}

/** The instant so many nanoseconds later. */
export function addNanoseconds(instant: Instant, nanoseconds: bigint): Instant {
  const total = BigInt(instant.seconds) * 1_000_000_000n + BigInt(instant.nanoseconds) + nanoseconds
  const rest = ((total % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  return { ...instant, seconds: Number((total - rest) / 1_000_000_000n), nanoseconds: Number(rest) }
}

/** Negative, 0 or positive. */
export function compareInstants(left: Instant, right: Instant): number {
  return left.seconds - right.seconds || left.nanoseconds - right.nanoseconds
}

/** Writes an instant in a layout. */
export function formatInstant(instant: Instant, layout: string): string {
  const civil = civilAt(instant)
  return parseLayout(layout)
    .map(({ text, field }) => (field ? formatField(text, civil, instant) : text))
    .join('')
}

function formatField(field: string, civil: Civil, { seconds, nanoseconds, zone }: Instant): string {
  const { year, month, day, yearDay, weekday, hour, minute, second } = civil
  switch (field) {
    case 'January':
    case 'Jan':
      return (MONTHS[month - 1] ?? '').slice(0, field === 'Jan' ? 3 : undefined)
    case 'Monday':
    case 'Mon':
      return (WEEKDAYS[weekday] ?? '').slice(0, field === 'Mon' ? 3 : undefined)
    case 'MST':
      return (
        zone.abbreviationAt(seconds) || offsetText(zone.offsetAt(seconds), { zulu: false, colons: false, minutes: true, seconds: false })
      )
    case '2006':
      return (year < 0 ? '-' : '') + String(Math.abs(year)).padStart(4, '0')
    case '06':
      return two(Math.abs(year % 100))
    case '01':
      return two(month)
    case '1':
      return String(month)
    case '02':
      return two(day)
    case '_2':
      return String(day).padStart(2)
    case '2':
      return String(day)
    case '002':
      return String(yearDay).padStart(3, '0')
    case '__2':
      return String(yearDay).padStart(3)
    case '15':
      return two(hour)
    case '03':
      return two(hour % 12 || 12)
    case '3':
      return String(hour % 12 || 12)
    case '04':
      return two(minute)
    case '4':
      return String(minute)
    case '05':
      return two(second)
    case '5':
      return String(second)
    case 'PM':
      return hour >= 12 ? 'PM' : 'AM'
    case 'pm':
      return hour >= 12 ? 'pm' : 'am'
    default: {
      const style = offsetStyle(field)
      return style ? offsetText(zone.offsetAt(seconds), style) : fractionText(field, nanoseconds)
    }
  }
}

function fractionText(field: string, nanoseconds: number): string {
  const digits = String(nanoseconds)
    .padStart(9, '0')
    .slice(0, field.length - 1)
  if (field[1] === '0') return field.charAt(0) + digits
  const shown = digits.replace(/0+$/, '')
  return shown === '' ? '' : field.charAt(0) + shown
}

function offsetText(offset: number, { zulu, colons, minutes, seconds }: OffsetStyle): string {
  if (zulu && offset === 0) return 'Z'
  const size = Math.abs(offset)
  const parts = [two(Math.floor(size / 3_600))]
  if (minutes) parts.push(two(Math.floor((size % 3_600) / 60)))
  if (seconds) parts.push(two(size % 60))
  return (offset < 0 ? '-' : '+') + parts.join(colons ? ':' : '')
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
