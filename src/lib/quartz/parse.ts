// Cron expressions as Quartz has them: six or seven fields, seconds first, Sunday is 1.
import { type Field, parseField } from './field.ts'

/** Which days of a month are meant. Weekdays count from 0, Sunday. */
export type DayRule =
  | { readonly kind: 'every' }
  | { readonly kind: 'days'; readonly days: readonly number[] }
  /** `L`, `L-3`: so many days before the last one. */
  | { readonly kind: 'last'; readonly before: number }
  /** `15W`: the weekday (Monday to Friday) nearest to the day, within its month; `LW`: nearest to the last one. */
  | { readonly kind: 'nearest-weekday'; readonly day: number }
  | { readonly kind: 'weekdays'; readonly weekdays: readonly number[] }
  /** `6#3`: the third Friday; months without it are left out. */
  | { readonly kind: 'nth-weekday'; readonly weekday: number; readonly nth: number }
  /** `6L`: the last Friday. */
  | { readonly kind: 'last-weekday'; readonly weekday: number }

/** A cron expression. All lists are sorted and free of doubles. */
export interface CronExpression {
  readonly text: string
  readonly seconds: readonly number[]
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: DayRule
  readonly months: readonly number[]
  /** Undefined: every year. */
  readonly years: readonly number[] | undefined
}

const LONGEST = 1_024

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 0 1 1 *'],
  ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 1'],
  ['@daily', '0 0 0 * * *'],
  ['@hourly', '0 0 * * * *'],
])

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

const SECOND: Field = { name: 'second', min: 0, max: 59, names: [] }
const MINUTE: Field = { name: 'minute', min: 0, max: 59, names: [] }
const HOUR: Field = { name: 'hour', min: 0, max: 23, names: [] }
const DAY: Field = { name: 'day of month', min: 1, max: 31, names: [] }
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS }
const WEEKDAY: Field = { name: 'day of week', min: 1, max: 7, names: WEEKDAYS }
const YEAR: Field = { name: 'year', min: 1_970, max: 3_940, names: [] }

/**
 * Parses `second minute hour day-of-month month day-of-week [year]` or one of `@yearly`, `@monthly`, `@weekly`, `@daily`, `@hourly`.
 * Throws an Error whose message quotes the text and says what to write instead.
 *
 *     parseCron('0 30 2 ? * MON-FRI') // at half past two on working days
 */
export function parseCron(text: string): CronExpression {
  const trimmed = text.trim()
  if (trimmed.length > LONGEST) throw new Error(`a cron expression of ${trimmed.length} characters is too long: write at most ${LONGEST}`)
  try {
    return parseFields(trimmed)
  } catch (error) {
    throw new Error(`${JSON.stringify(trimmed)} is not a cron expression: ${error instanceof Error ? error.message : error}`)
  }
}

function parseFields(text: string): CronExpression {
  const expanded = NICKNAMES.get(text)
  if (text.startsWith('@') && !expanded) throw new Error(`write ${[...NICKNAMES.keys()].join(', ')}, or six or seven fields`)
  const fields = (expanded ?? text).toUpperCase().split(/\s+/).filter(Boolean)
  if (fields.length !== 6 && fields.length !== 7) {
    const hint = 'write second, minute, hour, day of month, month, day of week and, if needed, year, such as "0 30 2 ? * MON-FRI"'
    throw new Error(`it has ${fields.length === 1 ? 'one field' : `${fields.length} fields`}; ${hint}`)
  }
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = '', year = '*'] = fields
  return {
    text,
    seconds: parseField(second, SECOND) ?? every(SECOND),
    minutes: parseField(minute, MINUTE) ?? every(MINUTE),
    hours: parseField(hour, HOUR) ?? every(HOUR),
    days: parseDays(day, weekday),
    months: parseField(month, MONTH) ?? every(MONTH),
    years: parseField(year, YEAR),
  }
}

function every({ min, max }: Field): number[] {
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}

function parseDays(day: string, weekday: string): DayRule {
  if (isAny(weekday)) return parseDayOfMonth(day)
  if (!isAny(day)) throw new Error('day of month and day of week are both given: write ? for one of them')
  return parseWeekday(weekday)
}

function isAny(field: string): boolean {
  return field === '*' || field === '?'
}

function parseDayOfMonth(field: string): DayRule {
  if (field === 'LW') return { kind: 'nearest-weekday', day: DAY.max }
  const last = /^L(?:-(\d+))?$/.exec(field)
  if (last) return { kind: 'last', before: last[1] === undefined ? 0 : single(last[1], DAY) }
  const nearest = /^(\d+)W$/.exec(field)
  if (nearest) return { kind: 'nearest-weekday', day: single(nearest[1], DAY) }
  const days = parseField(field, DAY)
  return days ? { kind: 'days', days } : { kind: 'every' }
}

function parseWeekday(field: string): DayRule {
  if (field === 'L') return { kind: 'last-weekday', weekday: WEEKDAY.max - 1 }
  const last = /^([A-Z]+|\d+)L$/.exec(field)
  if (last) return { kind: 'last-weekday', weekday: single(last[1], WEEKDAY) - 1 }
  const nth = /^([A-Z]+|\d+)#(\d+)$/.exec(field)
  if (nth)
    return { kind: 'nth-weekday', weekday: single(nth[1], WEEKDAY) - 1, nth: single(nth[2], { ...DAY, name: 'number after #', max: 5 }) }
  return { kind: 'weekdays', weekdays: (parseField(field, WEEKDAY) ?? every(WEEKDAY)).map((value) => value - 1) }
}

function single(text: string | undefined, field: Field): number {
  const value = parseField(text ?? '', field)?.[0]
  if (value === undefined) throw new Error(`${field.name} is missing`)
  return value
}
