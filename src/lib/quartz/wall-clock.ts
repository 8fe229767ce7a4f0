// The search for the next time on a clock that is never set forward or back.
import { daysOf } from './days.ts'
import type { CronExpression } from './parse.ts'

/** The calendar repeats itself, weekdays included, after so many years: what does not happen in them never does. */
const CYCLE_YEARS = 400
const DAY_MS = 86_400_000

/**
 * The first time after `after` that the expression names, undefined if there is none. Both are what a clock on the wall shows,
 * as milliseconds of a UTC date; `after` may be any number, the result is a full second.
 */
export function nextOnWall(cron: CronExpression, after: number): number | undefined {
  const from = Math.floor(after / 1_000) * 1_000 + 1_000
  const today = Math.floor(from / DAY_MS) * DAY_MS
  const rest = timeOfDay(cron, (from - today) / 1_000)
  const dayFrom = rest === undefined ? today + DAY_MS : today
  const day = nextDay(cron, dayFrom)
  if (day === undefined) return undefined
  const time = day === today ? rest : timeOfDay(cron, 0)
  return time === undefined ? undefined : day + time * 1_000
}

/** The first day from `from` on (the start of a day) that the expression names. */
function nextDay(cron: CronExpression, from: number): number | undefined {
  const date = new Date(from)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  for (const candidate of yearsFrom(cron, year)) {
    const start = candidate === year ? { month, day } : { month: 1, day: 1 }
    const found = dayInYear(cron, candidate, start)
    if (found !== undefined) return found
  }
  return undefined
}

function yearsFrom({ years }: CronExpression, year: number): readonly number[] {
  if (years) return years.filter((candidate) => candidate >= year)
  return Array.from({ length: CYCLE_YEARS + 1 }, (_, index) => year + index)
}

function dayInYear(cron: CronExpression, year: number, start: { month: number; day: number }): number | undefined {
  for (const month of cron.months) {
    if (month < start.month) continue
    const day = daysOf(cron.days, year, month).find((candidate) => month > start.month || candidate >= start.day)
    if (day !== undefined) return Date.UTC(year, month - 1, day)
  }
  return undefined
}

/** The first second of the day from `from` on that the expression names; undefined if the day has none left. */
function timeOfDay({ hours, minutes, seconds }: CronExpression, from: number): number | undefined {
  const [hour, minute, second] = [Math.floor(from / 3_600), Math.floor(from / 60) % 60, from % 60]
  const [firstMinute = 0, firstSecond = 0] = [minutes[0], seconds[0]]
  if (hours.includes(hour)) {
    const sameMinute = minutes.includes(minute) ? seconds.find((value) => value >= second) : undefined
    if (sameMinute !== undefined) return hour * 3_600 + minute * 60 + sameMinute
    const laterMinute = minutes.find((value) => value > minute)
    if (laterMinute !== undefined) return hour * 3_600 + laterMinute * 60 + firstSecond
  }
  const laterHour = hours.find((value) => value > hour)
  return laterHour === undefined ? undefined : laterHour * 3_600 + firstMinute * 60 + firstSecond
}
