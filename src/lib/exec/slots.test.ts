import { expect, test } from 'vitest'
import { createSlots } from './slots.ts'

test('runs no more than it has slots, the rest in order', async () => {
  const slots = createSlots(2)
  let running = 0
  let most = 0
  const order: number[] = []
  const work = (n: number) => async () => {
    order.push(n)
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    return n
  }
  const results = await Promise.all([1, 2, 3, 4, 5].map((n) => slots.run(work(n))))
  expect(results).toEqual([1, 2, 3, 4, 5])
  expect(order).toEqual([1, 2, 3, 4, 5])
  expect(most).toBe(2)
})

test('frees the slot when the work fails', async () => {
  const slots = createSlots(1)
  await expect(slots.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await expect(slots.run(async () => 'next')).resolves.toBe('next')
})

test('whoever is called off while waiting does not run and takes no slot', async () => {
  const slots = createSlots(1)
  const stop = new AbortController()
  let end = (): void => {}
  const first = slots.run(() => new Promise<void>((resolve) => (end = resolve)))
  const second = slots.run(async () => 'never', stop.signal)
  const third = slots.run(async () => 'third')
  stop.abort(new Error('called off'))
  await expect(second).rejects.toThrow('called off')
  expect(slots.waiting).toBe(1)
  end()
  await first
  await expect(third).resolves.toBe('third')
})
