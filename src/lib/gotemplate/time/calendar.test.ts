import fc from 'fast-check'
import { expect, test } from 'vitest'
import { civilOf, secondsOf } from './calendar.ts'
import { formatInstant } from './instant.ts'
import { parseInstant } from './parse.ts'
import { loadZone, UTC } from './zone.ts'

const seconds = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 })

test('dates are those of the runtime', () => {
  fc.assert(
    fc.property(seconds, (value) => {
      const civil = civilOf(value)
      const date = new Date(value * 1_000)
      expect([civil.year, civil.month, civil.day, civil.weekday]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay(),
      ])
      expect(secondsOf(civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second)).toBe(value)
      expect(secondsOf(civil.year, 1, civil.yearDay, civil.hour, civil.minute, civil.second)).toBe(value)
    }),
  )
})

test.each(['2006-01-02T15:04:05Z07:00', 'Mon Jan _2 15:04:05 2006', '2006 002 3:04:05.000 PM -0700', 'January 2, 06 15h4m5s Z070000'])(
  'what is written as %s reads back',
  (layout) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (value) => {
        const text = formatInstant({ seconds: value, nanoseconds: 0, zone: UTC }, layout)
        expect(parseInstant(layout, text)?.seconds).toBe(value)
      }),
    )
  },
)

test('zones know daylight saving time', () => {
  const [summer, winter] = [Date.UTC(2024, 6, 1) / 1_000, Date.UTC(2024, 0, 1) / 1_000]
  const berlin = loadZone('Europe/Berlin')
  expect([berlin?.offsetAt(summer), berlin?.abbreviationAt(summer)]).toEqual([7_200, 'CEST'])
  expect([berlin?.offsetAt(winter), berlin?.abbreviationAt(winter)]).toEqual([3_600, 'CET'])
  expect(loadZone('Asia/Kathmandu')?.abbreviationAt(winter)).toBe('+0545')
  expect([loadZone('Nowhere/Else'), loadZone('europe/berlin'), loadZone('+05:00'), loadZone('../etc/passwd')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
