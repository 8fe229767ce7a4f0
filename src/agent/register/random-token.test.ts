import { expect, test } from 'vitest'
import { randomToken } from './random-token.ts'

test('has 54 of 27 letters and digits, another one each time', () => {
  const tokens = new Set(Array.from({ length: 50 }, () => randomToken()))
  expect(tokens.size).toBe(50)
  for (const token of tokens) expect(token).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{54}$/)
})

test('all letters are equally likely: bytes that would favour some are thrown away', () => {
  let next = 0
  const counts = new Map<string, number>()
  for (const letter of randomToken((size) => Uint8Array.from({ length: size }, () => next++ % 256)))
    counts.set(letter, (counts.get(letter) ?? 0) + 1)
  expect(new Set(counts.values())).toEqual(new Set([2]))
  let calls = 0
  expect(randomToken((size) => new Uint8Array(size).fill(calls++ === 0 ? 255 : 0))).toBe('b'.repeat(54))
})
