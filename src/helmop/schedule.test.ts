import { expect, test } from 'vitest'
import { wantedChart } from './chart.ts'
import { pollingIntervalMs, retryMs } from './schedule.ts'

const helm = { repo: 'https://charts.example', chart: 'a' }
const interval = (pollingInterval: string | undefined, version = '1.x') =>
  pollingIntervalMs({ spec: { pollingInterval } }, wantedChart({ ...helm, version }))

test.each<[string | undefined, number]>([
  ['2s', 2_000],
  ['1h', 3_600_000],
  ['10ms', 1_000],
  ['0s', Number.POSITIVE_INFINITY],
  ['-1s', Number.POSITIVE_INFINITY],
  ['often', Number.POSITIVE_INFINITY],
  [undefined, Number.POSITIVE_INFINITY],
])('an interval of %s is %d ms', (text, expected) => {
  expect(interval(text)).toBe(expected)
})

test('an exact version is not polled', () => {
  expect(interval('2s', '1.0.0')).toBe(Number.POSITIVE_INFINITY)
})

test('what was asked in vain is asked less and less often', () => {
  expect([1, 2, 3, 20].map((failures) => retryMs(failures, 0))).toEqual([15_000, 30_000, 60_000, 600_000])
  expect(retryMs(1, 0.5)).toBe(15_750)
})
