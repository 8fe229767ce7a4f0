import { expect, test } from 'vitest'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createPacer } from './pacer.ts'

const pace = { quietMs: 500, maxWaitMs: 3_000, idleMs: 5_000 }

test('a change after a quiet time is written at once', async () => {
  const clock = createFakeClock()
  const pacer = createPacer(clock, pace)
  pacer.touch('a')
  expect(pacer.waitMs('a')).toBe(0)
  pacer.settle('a', true)
  await clock.advance(5_000)
  pacer.touch('a')
  expect(pacer.waitMs('a')).toBe(0)
})

test('a burst is written when it is over, or has lasted long enough', async () => {
  const clock = createFakeClock()
  const pacer = createPacer(clock, pace)
  pacer.settle('a', true)
  pacer.touch('a')
  await clock.advance(400)
  pacer.touch('a')
  expect(pacer.waitMs('a')).toBe(500)
  await clock.advance(500)
  expect(pacer.waitMs('a')).toBe(0)
  pacer.settle('a', true)
  for (let i = 0; i < 10; i++) {
    pacer.touch('a')
    expect(pacer.waitMs('a')).toBe(Math.min(500, 3_000 - i * 300))
    await clock.advance(300)
  }
  expect(pacer.waitMs('a')).toBe(0)
})

test('a change that made no difference leaves nothing behind', async () => {
  const clock = createFakeClock()
  const pacer = createPacer(clock, pace)
  pacer.settle('a', true)
  pacer.touch('a')
  pacer.settle('a', false)
  expect(pacer.waitMs('a')).toBe(0)
  await clock.advance(400)
  pacer.touch('a')
  expect(pacer.waitMs('a')).toBe(500)
})

test('what must last waits in any case', async () => {
  const clock = createFakeClock()
  const pacer = createPacer(clock, { quietMs: 0, maxWaitMs: 0, idleMs: 0 })
  pacer.touch('a')
  expect([pacer.waitMs('a'), pacer.waitMs('a', 1_000)]).toEqual([0, 1_000])
  await clock.advance(600)
  pacer.touch('a')
  expect(pacer.waitMs('a', 1_000)).toBe(400)
})

test('without idle time even the first write waits for the end of the burst', () => {
  const pacer = createPacer(createFakeClock(), { quietMs: 500, maxWaitMs: 3_000 })
  pacer.touch('a')
  expect(pacer.waitMs('a')).toBe(500)
})

test('keys do not disturb each other and can be forgotten', () => {
  const pacer = createPacer(createFakeClock(), pace)
  pacer.settle('a', true)
  pacer.touch('a')
  pacer.touch('b')
  expect([pacer.waitMs('a'), pacer.waitMs('b')]).toEqual([500, 0])
  pacer.forget('a')
  expect(pacer.waitMs('a')).toBe(0)
})
