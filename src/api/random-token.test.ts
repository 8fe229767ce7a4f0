import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { randomToken } from './random-token.ts'

test('a token has 54 characters that nobody mistakes', () => {
  const identities = new Set(Array.from({ length: 200 }, () => randomToken(randomBytes)))
  expect(identities.size).toBe(200)
  for (const identity of identities) expect(identity).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{54}$/)
})

test('bytes that would favour some letters are thrown away', () => {
  const answers = [new Uint8Array(54).fill(255), new Uint8Array(54).fill(27)]
  expect(randomToken(() => answers.shift() ?? new Uint8Array())).toBe('b'.repeat(54))
})

test('without randomness there is no token', () => {
  expect(() => randomToken(() => new Uint8Array(54).fill(255))).toThrow(/no randomness/)
})

test('all letters are equally likely', () => {
  let next = 0
  const counts = new Map<string, number>()
  for (const letter of randomToken((size) => Uint8Array.from({ length: size }, () => next++ % 256)))
    counts.set(letter, (counts.get(letter) ?? 0) + 1)
  expect(new Set(counts.values())).toEqual(new Set([2]))
})
