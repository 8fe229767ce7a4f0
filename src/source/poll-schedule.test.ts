import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextPollMs, pollingIntervalMs, recordEveryMs } from './poll-schedule.ts'

describe('polling intervals', () => {
  test.each([
    [undefined, 15_000],
    [null, 15_000],
    ['', 15_000],
    ['0', 15_000],
    ['0s', 15_000],
    ['2s', 2_000],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    ['1ms', 1_000],
    ['-5s', 15_000],
    ['nonsense', 15_000],
    ['1d', 15_000],
  ])('%s is %d ms', (text, ms) => {
    expect(pollingIntervalMs(text)).toBe(ms)
  })
})

describe('the next poll', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const intervalMs = fc.integer({ min: 1_000, max: 100_000_000 })

  test('comes after the interval and up to a tenth of it', () => {
    fc.assert(
      fc.property(intervalMs, random, (interval, r) => {
        const next = nextPollMs({ intervalMs: interval, failures: 0 }, r)
        expect(next).toBeGreaterThanOrEqual(interval)
        expect(next).toBeLessThanOrEqual(interval * 1.1)
      }),
    )
  })

  test('never comes by itself when polling is disabled, but after a failure', () => {
    expect(nextPollMs({ intervalMs: Number.POSITIVE_INFINITY, failures: 0 }, 0.5)).toBe(Number.POSITIVE_INFINITY)
    expect(nextPollMs({ intervalMs: Number.POSITIVE_INFINITY, failures: 1 }, 0)).toBe(15_000)
  })

  test('is put off with each failure, up to ten minutes or the interval', () => {
    const at = (failures: number, interval = 2_000): number => nextPollMs({ intervalMs: interval, failures }, 0)
    expect([1, 2, 3, 4].map((failures) => at(failures))).toEqual([2_000, 4_000, 8_000, 16_000])
    expect(at(50)).toBe(600_000)
    expect(at(2, 3_600_000)).toBe(3_600_000)
    fc.assert(
      fc.property(intervalMs, fc.integer({ min: 1, max: 2_000 }), random, (interval, failures, r) => {
        const next = nextPollMs({ intervalMs: interval, failures }, r)
        expect(next).toBeGreaterThanOrEqual(interval)
        expect(next).toBeLessThanOrEqual(Math.max(interval, 600_000) * 1.1)
        expect(nextPollMs({ intervalMs: interval, failures: failures + 1 }, r)).toBeGreaterThanOrEqual(next)
      }),
    )
  })

  test('waits as long as the server asks', () => {
    expect(nextPollMs({ intervalMs: 15_000, failures: 1, retryAfterMs: 120_000 }, 0)).toBe(120_000)
  })
})

test('a sign of life is written rarely', () => {
  expect([1_000, 2_000, 15_000].map(recordEveryMs)).toEqual([30_000, 30_000, 225_000])
})
