// The days of a month that a rule means.
import type { DayRule } from './parse.ts'

/** Days of a month (1 to 12), sorted; none where the month has no such day. */
export function daysOf(rule: DayRule, year: number, month: number): number[] {
  const length = daysIn(year, month)
  const first = weekdayOf(year, month, 1)
  const on = (weekday: number): number => 1 + ((weekday - first + 7) % 7)
  switch (rule.kind) {
    case 'every':
      return range(1, length, 1)
    case 'days':
      return rule.days.filter((day) => day <= length)
    case 'last':
      return length > rule.before ? [length - rule.before] : []
    case 'nearest-weekday':
      return [nearestWeekday(Math.min(rule.day, length), length, first)]
    case 'weekdays':
      return rule.weekdays.flatMap((weekday) => range(on(weekday), length, 7)).sort((a, b) => a - b)
    case 'nth-weekday':
      return range(on(rule.weekday), length, 7).slice(rule.nth - 1, rule.nth)
    case 'last-weekday':
      return range(on(rule.weekday), length, 7).slice(-1)
  }
}

function nearestWeekday(day: number, length: number, first: number): number {
  const weekday = (first + day - 1) % 7
  if (weekday === 6) return day > 1 ? day - 1 : day + 2
  if (weekday === 0) return day < length ? day + 1 : day - 2
  return day
}

function range(from: number, to: number, step: number): number[] {
  const values: number[] = []
  for (let value = from; value <= to; value += step) values.push(value)
  return values
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function weekdayOf(year: number, month: number, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay()
}
