import { describe, expect, test } from 'vitest'
import { schedule } from './objects.testing.ts'
import { windowAt, windowsOf } from './window.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const HOUR = 3_600_000

/** Open times between two instants, found in steps of ten minutes. */
function openTimes(cron: string, duration: string, location: string, from: string, to: string): string[] {
  const windows = windowsOf({ schedule: cron, duration, location }, Date.parse(from), 'UTC')
  const times: string[] = []
  let wasOpen = false
  for (let time = Date.parse(from); time < Date.parse(to); time += 600_000) {
    const { active } = windowAt(windows, time)
    if (active !== wasOpen) times.push(new Date(time).toISOString().slice(5, 16))
    wasOpen = active
  }
  return times
}

describe('windows where the clock is set', () => {
  test.each([
    // forward at 02:00: the window of 01:30 is two hours long all the same, that of 02:30 opens at the change
    ['forward, over the change', 'America/New_York', '0 30 1 * * ?', '2026-03-08', ['03-08T06:30', '03-08T08:30']],
    ['forward, within the change', 'America/New_York', '0 30 2 * * ?', '2026-03-08', ['03-08T07:00', '03-08T09:00']],
    ['forward in Berlin', 'Europe/Berlin', '0 30 2 * * ?', '2026-03-29', ['03-29T01:00', '03-29T03:00']],
    // back at 02:00 (New York) and 03:00 (Berlin): the repeated hour opens no second window
    ['back, over the change', 'America/New_York', '0 30 0 * * ?', '2026-11-01', ['11-01T04:30', '11-01T06:30']],
    ['back, within the change', 'America/New_York', '0 30 1 * * ?', '2026-11-01', ['11-01T05:30', '11-01T07:30']],
    ['back in Berlin', 'Europe/Berlin', '0 30 2 * * ?', '2026-10-25', ['10-25T00:30', '10-25T02:30']],
  ])('%s', (_, location, cron, day, expected) => {
    expect(openTimes(cron, '2h', location, `${day}T00:00:00Z`, `${day}T20:00:00Z`)).toEqual(expected)
  })

  test('nothing is open in between when a day is shorter than its window', () => {
    expect(openTimes('0 0 0 * * ?', '23h30m', 'Europe/Berlin', '2026-03-28T23:30:00Z', '2026-03-29T21:45:00Z')).toEqual(['03-28T23:30'])
  })
})

describe('a window', () => {
  const windows = windowsOf(schedule('s').spec, NOW, 'UTC')
  const at = (text: string) => windowAt(windows, Date.parse(`2026-01-02T${text}Z`))

  test('is open from its start until, and without, its end', () => {
    expect(['01:59:59', '02:00:00', '02:59:59', '03:00:00'].map((time) => at(time).active)).toEqual([false, true, true, false])
  })

  test('tells when to look again', () => {
    expect(at('01:00:00').until).toBe(Date.parse('2026-01-02T02:00:00Z'))
    expect(at('02:30:00')).toEqual({
      active: true,
      nextStart: Date.parse('2026-01-03T02:00:00Z'),
      until: Date.parse('2026-01-02T03:00:00Z'),
    })
  })

  test('that is the last one stays open until its end', () => {
    const last = windowsOf({ ...schedule('s').spec, schedule: '0 0 2 2 1 ? 2026' }, NOW, 'UTC')
    expect(windowAt(last, Date.UTC(2026, 0, 2, 2, 30))).toEqual({ active: true, nextStart: undefined, until: Date.UTC(2026, 0, 2, 3) })
    expect(windowAt(last, Date.UTC(2026, 0, 2, 3))).toEqual({ active: false, nextStart: undefined, until: undefined })
  })

  test('without a location follows the clock of the hub', () => {
    for (const location of [undefined, '', 'Local']) {
      const windowed = windowsOf({ schedule: '0 0 2 * * ?', duration: '1h', location }, NOW, 'Asia/Kolkata')
      expect(windowAt(windowed, NOW).nextStart).toBe(Date.parse('2026-01-01T20:30:00Z'))
    }
  })
})

describe('a spec that cannot be used is explained', () => {
  test.each([
    [
      { schedule: '0 * * * * *', duration: '60s' },
      /^duration is too long: a window of 1m0s is still open when the next one starts 1m0s after it; shorten it/,
    ],
    // the shortest gap counts, wherever the pattern stands
    [{ schedule: '0 0 0 ? * MON,TUE', duration: '24h' }, /^duration is too long: .*24h0m0s/],
    [{ schedule: '0 0 0 1,2 1 ?', duration: '25h' }, /^duration is too long/],
    [{ duration: '0s' }, /^duration is not positive/],
    [{ duration: '-1h' }, /^duration is not positive/],
    [{ duration: '1 hour' }, /^duration: "1 hour" is not a duration: write one such as/],
    [{ schedule: 'every day' }, /^schedule: "every day" is not a cron expression: it has 2 fields/],
    [{ schedule: '' }, /^schedule: "" is not a cron expression/],
    [{ location: 'Nowhere/Land' }, /^location: "Nowhere\/Land" is not a time zone/],
  ])('%j', (spec, message) => {
    expect(() => windowsOf({ ...schedule('s').spec, ...spec }, NOW, 'UTC')).toThrow(message)
  })

  test('a window may be as long as the gap but for a second', () => {
    expect(windowsOf({ schedule: '0 0 2 * * ?', duration: '23h59m59s' }, NOW, 'UTC').durationMs).toBe(24 * HOUR - 1_000)
  })
})
