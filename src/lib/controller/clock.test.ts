import { expect, test } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { sleep, systemClock } from './clock.ts'

test('sleeps as long as asked', async () => {
  const clock = createFakeClock()
  let awake = false
  void sleep(clock, 1_000).then(() => {
    awake = true
  })
  await clock.advance(999)
  expect(awake).toBe(false)
  await clock.advance(1)
  expect(awake).toBe(true)
})

test('sleeps longer than a timer can', async () => {
  const clock = createFakeClock()
  let awake = false
  const month = 30 * 86_400_000
  void sleep(clock, month).then(() => {
    awake = true
  })
  await clock.advance(month - 1)
  expect(awake).toBe(false)
  await clock.advance(1)
  expect(awake).toBe(true)
})

test('an abort ends the sleep with its reason', async () => {
  const clock = createFakeClock()
  const stop = new AbortController()
  const slept = sleep(clock, 1_000, stop.signal)
  stop.abort(new Error('enough'))
  await expect(slept).rejects.toThrow('enough')
  await expect(sleep(clock, 1_000, stop.signal)).rejects.toThrow('enough')
})

test('the system clock ticks', async () => {
  const start = systemClock.now()
  // timers count from when the event loop last looked at the clock, so that they may end early by as much as it has been busy since
  await sleep(systemClock, 50)
  expect(systemClock.now()).toBeGreaterThan(start)
  systemClock.clearTimeout(systemClock.setTimeout(() => expect.unreachable(), 0))
})
