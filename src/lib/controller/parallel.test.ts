import { expect, test } from 'vitest'
import { TerminalError } from './errors.ts'
import { inParallel } from './parallel.ts'

test('results come in the order of the items, no more at a time than allowed', async () => {
  let running = 0
  let most = 0
  const results = await inParallel([30, 10, 20, 5, 1], 2, async (ms) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, ms))
    running--
    return ms * 2
  })
  expect(results).toEqual([60, 20, 40, 10, 2])
  expect(most).toBe(2)
})

test('nothing to do', async () => {
  expect(await inParallel([], 16, async () => 1)).toEqual([])
})

test('a single error is thrown as it is, after all items were tried', async () => {
  const tried: number[] = []
  const run = inParallel([1, 2, 3], 1, async (n) => {
    tried.push(n)
    if (n === 1) throw new TerminalError('no')
  })
  await expect(run).rejects.toThrow(TerminalError)
  expect(tried).toEqual([1, 2, 3])
})

test('several errors are all kept, the message is sorted and bounded', async () => {
  const items = Array.from({ length: 20 }, (_, i) => i)
  const error = await inParallel(items, 16, async (i) => {
    if (i % 2 === 0) throw new Error(`item ${i}`)
  }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AggregateError)
  expect((error as AggregateError).errors).toHaveLength(10)
  expect((error as AggregateError).message).toBe('10 of 20 failed: item 0; item 10; item 12; item 14; item 16; and 5 more')
})
