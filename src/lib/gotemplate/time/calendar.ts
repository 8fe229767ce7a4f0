// Days and dates of the Gregorian calendar, extended into the past, as Go's time package counts them.

/** Seconds of a day. */
export const DAY_SECONDS = 86_400

/** English names, January first. */
export const MONTHS: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** English names, Sunday first. */
export const WEEKDAYS: readonly string[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** A date and a time of day; `month` and `day` count from 1, `yearDay` too, `weekday` from Sunday = 0. */
export interface Civil {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly yearDay: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** True for years with a 29th of February. */
export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** The number of days of a month. */
export function daysIn(month: number, year: number): number {
  return month === 2 && isLeap(year) ? 29 : (MONTH_DAYS[month - 1] ?? 0)
}

const MONTH_DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Days since 1970-01-01. Months and days beyond their range count on, as in the 14th month or the 0th of May. */
export function dayNumber(year: number, month: number, day: number): number {
  const years = year + Math.floor((month - 1) / 12)
  const index = modulo(month - 1, 12)
  // years that begin in March put the leap day at their end
  const shifted = index < 2 ? years - 1 : years
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * modulo(index - 2, 12) + 2) / 5)
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear + day - 1 - 719_468
}

/** Seconds since 1970-01-01T00:00:00 of a date and time without a zone. */
export function secondsOf(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  return dayNumber(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second
}

/** Date and time of day at so many seconds since 1970-01-01T00:00:00. */
export function civilOf(seconds: number): Civil {
  const days = Math.floor(seconds / DAY_SECONDS)
  const rest = seconds - days * DAY_SECONDS
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const index = Math.floor((5 * dayOfYear + 2) / 153)
  const month = index < 10 ? index + 3 : index - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return {
    year,
    month,
    day: dayOfYear - Math.floor((153 * index + 2) / 5) + 1,
    yearDay: days - dayNumber(year, 1, 1) + 1,
    weekday: modulo(days + 4, 7),
    hour: Math.floor(rest / 3_600),
    minute: Math.floor((rest % 3_600) / 60),
    second: rest % 60,
  }
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}
