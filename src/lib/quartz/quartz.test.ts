import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startCpuTimer } from '../../testing/cpu-time.ts'
import { checkVectors } from '../../testing/vectors.ts'
import { next } from './next.ts'
import { parseCron } from './parse.ts'
import { createTimeZone } from './time-zone.ts'

function starts(expression: string, after: string, location: string, count = 4): string[] {
  const [cron, zone] = [parseCron(expression), createTimeZone(location)]
  const found: string[] = []
  for (let time = Date.parse(after); found.length < count; ) {
    const start = next(cron, time, zone)
    if (start === undefined) break
    found.push(new Date(start).toISOString().replace('.000Z', 'Z'))
    time = start
  }
  return found
}

interface Input {
  expression: string
  after: string
  location: string
}

checkVectors('quartz-cron.json', ({ expression, after, location }: Input) => starts(expression, after, location))

describe('a clock that is set', () => {
  test.each([
    // America/New_York skips 02:00 to 03:00 on 2026-03-08 and repeats 01:00 to 02:00 on 2026-11-01
    ['forward starts at the change what it skips', '0 30 2 * * ?', 'America/New_York', '2026-03-07T12:00:00Z', '2026-03-08T07:00:00Z'],
    ['forward goes on at the usual time', '0 30 2 * * ?', 'America/New_York', '2026-03-08T07:00:00Z', '2026-03-09T06:30:00Z'],
    [
      'forward starts only once what falls together',
      '0 0/15 2,3 * * ?',
      'America/New_York',
      '2026-03-08T07:00:00Z',
      '2026-03-08T07:15:00Z',
    ],
    ['back starts the first time', '0 30 1 * * ?', 'America/New_York', '2026-11-01T04:00:00Z', '2026-11-01T05:30:00Z'],
    ['back does not start again', '0 30 1 * * ?', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z'],
    ['back goes on after the repeated hour', '0 */10 * * * ?', 'America/New_York', '2026-11-01T05:50:00Z', '2026-11-01T07:00:00Z'],
    ['back goes on from within the repeated hour', '0 */10 * * * ?', 'America/New_York', '2026-11-01T06:25:00Z', '2026-11-01T07:00:00Z'],
    // Europe/Berlin skips 02:00 to 03:00 on 2026-03-29 and repeats 02:00 to 03:00 on 2026-10-25
    ['forward in Berlin', '0 30 2 * * ?', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
    ['back in Berlin', '0 30 2 * * ?', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00Z'],
    ['back in Berlin, once', '0 30 2 * * ?', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
    // Australia/Lord_Howe moves by half an hour
    ['forward by half an hour', '0 15,35 2 * * ?', 'Australia/Lord_Howe', '2026-10-03T12:00:00Z', '2026-10-03T15:30:00Z'],
    ['forward by half an hour, then', '0 15,35 2 * * ?', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z', '2026-10-03T15:35:00Z'],
  ])('%s', (_, expression, location, after, expected) => {
    expect(starts(expression, after, location, 1)).toEqual([expected])
  })
})

describe('days', () => {
  test.each([
    ['0 0 0 LW * ?', ['2026-01-30', '2026-02-27', '2026-03-31', '2026-04-30']],
    ['0 0 0 1W * ?', ['2026-01-01', '2026-02-02', '2026-03-02', '2026-04-01']],
    ['0 0 0 31W * ?', ['2026-01-30', '2026-02-27', '2026-03-31', '2026-04-30']],
    ['0 0 0 L-30 * ?', ['2026-01-01', '2026-03-01', '2026-05-01', '2026-07-01']],
    ['0 0 0 ? * L', ['2026-01-31', '2026-02-28', '2026-03-28', '2026-04-25']],
    ['0 0 0 ? * THUL', ['2026-01-29', '2026-02-26', '2026-03-26', '2026-04-30']],
    ['0 0 0 29 2 ?', ['2028-02-29', '2032-02-29', '2036-02-29', '2040-02-29']],
    ['0 0 0 ? 2 MON#5', ['2044-02-29', '2072-02-29', '2112-02-29', '2140-02-29']],
    ['0 0 0 1,10-12,20/5 1 ?', ['2026-01-01', '2026-01-10', '2026-01-11', '2026-01-12']],
  ])('%s', (expression, expected) => {
    expect(starts(expression, '2025-12-31T12:00:00Z', 'UTC')).toEqual(expected.map((day) => `${day}T00:00:00Z`))
  })
})

describe('what cannot be used is explained', () => {
  test.each([
    ['every day', 'it has 2 fields; write second, minute, hour'],
    ['', 'it has 0 fields'],
    ['@every 1h', 'write @yearly, @monthly, @weekly, @daily, @hourly, or six or seven fields'],
    ['0 0 24 * * ?', 'hour 24 is not within 0 to 23'],
    ['0 0 0 ? * FOO', 'day of week FOO is not within 1 to 7 or SUN to SAT'],
    ['0 0 0 1 * MON', 'day of month and day of week are both given: write ? for one of them'],
    ['0 0 22-2 * * ?', 'hour 22-2 runs backwards: write it as two ranges, separated by a comma'],
    ['0/0 * * * * ?', 'second has a step of 0: write a number from 1 to 59'],
    ['0 0 0 1, * ?', 'day of month has an empty part'],
    ['0 0 0 ? * 3#6', 'number after # 6 is not within 1 to 5'],
    ['0,99 * * * * ?', 'second 99 is not within 0 to 59'],
    [`0 0 0 ${'1,'.repeat(600)}1 * ?`, 'is too long'],
  ])('%s', (expression, message) => {
    expect(() => parseCron(expression)).toThrow(message)
  })

  test('an unknown time zone', () => {
    expect(() => createTimeZone('Nowhere/Land')).toThrow('"Nowhere/Land" is not a time zone: write an IANA name')
  })
})

test('what never happens is found out at once', () => {
  const spent = startCpuTimer()
  for (const expression of ['0 0 0 30 2 ?', '0 0 0 L-31 * ?', '0 0 0 31 4,6,9,11 ?', '0 0 0 30 2 ? 1970-3940', '0 0 0 1 1 ? 2020']) {
    expect(next(parseCron(expression), Date.UTC(2026, 0, 1), createTimeZone('Europe/Berlin'))).toBeUndefined()
  }
  expect(spent()).toBeLessThan(500)
})

test('times that are none have no next one', () => {
  const cron = parseCron('* * * * * ?')
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15]) expect(next(cron, time, createTimeZone('UTC'))).toBeUndefined()
  expect(next(cron, Number.NEGATIVE_INFINITY, createTimeZone('Asia/Kolkata'))).toBeDefined()
})

describe('always', () => {
  const numbers = (min: number, max: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map((values) => values.join(',')),
      fc.tuple(fc.integer({ min, max }), fc.integer({ min: 1, max: Math.max(max, 1) })).map(([from, step]) => `${from}/${step}`),
    )
  const dayOfMonth = fc.oneof(numbers(1, 31), fc.constantFrom('L', 'LW', 'L-3', '15W', '1W', '31W'))
  const days = fc.oneof(
    dayOfMonth.map((day) => [day, '?'] as const),
    fc.oneof(numbers(1, 7), fc.constantFrom('L', '6L', '6#3', '2#5', 'MON-FRI')).map((weekday) => ['?', weekday] as const),
  )
  const expressions = fc
    .tuple(numbers(0, 59), numbers(0, 59), numbers(0, 23), days, numbers(1, 12))
    .map(([second, minute, hour, [day, weekday], month]) => `${second} ${minute} ${hour} ${day} ${month} ${weekday}`)
  const zones = [
    'UTC',
    'America/New_York',
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Antarctica/Troll',
    'Asia/Kathmandu',
  ].map(createTimeZone)
  const instants = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2080, 0, 1) })

  test('the next start is later, a full second, and there is none between', () => {
    fc.assert(
      fc.property(
        expressions,
        instants,
        fc.constantFrom(...zones),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (text, after, zone, share) => {
          const cron = parseCron(text)
          const start = next(cron, after, zone)
          if (start === undefined) return
          expect(start).toBeGreaterThan(after)
          expect(start % 1_000).toBe(0)
          const between = after + Math.floor((start - 1 - after) * share)
          expect(next(cron, between, zone)).toBe(start)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('around the changes of the clock too', () => {
    const changes = [
      '2026-03-08T07:00:00Z',
      '2026-11-01T06:00:00Z',
      '2026-03-29T01:00:00Z',
      '2026-10-25T01:00:00Z',
      '2026-10-03T15:30:00Z',
    ].map(Date.parse)
    const near = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -7_200_000, max: 7_200_000 })).map(([change, by]) => change + by)
    const often = fc.tuple(numbers(0, 59), numbers(0, 59), numbers(0, 4)).map((fields) => `${fields.join(' ')} * * ?`)
    fc.assert(
      fc.property(often, near, fc.constantFrom(...zones), fc.integer({ min: 0, max: 3_600_000 }), (text, after, zone, more) => {
        const cron = parseCron(text)
        const [start, later] = [next(cron, after, zone) ?? 0, next(cron, after + more, zone) ?? 0]
        expect(start).toBeGreaterThan(after)
        expect(later).toBe(start > after + more ? start : later)
        expect(later).toBeGreaterThanOrEqual(start)
      }),
      { numRuns: 600 },
    )
  })
})
