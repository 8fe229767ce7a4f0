import { expect, test } from 'vitest'
import { createLimiter } from './limiter.ts'

test('runs so many at a time, in order, and goes on after failures', async () => {
  const limited = createLimiter(2)
  const started: number[] = []
  let running = 0
  let most = 0
  const results = await Promise.allSettled(
    Array.from({ length: 3_000 }, (_, index) =>
      limited(async () => {
        started.push(index)
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        if (index % 3 === 0) throw new Error('no')
        return index
      }),
    ),
  )
  expect([most, running]).toEqual([2, 0])
  expect(started).toEqual([...started].sort((a, b) => a - b))
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1_000)
  expect(results[1]).toEqual({ status: 'fulfilled', value: 1 })
})
