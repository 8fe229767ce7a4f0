import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createIdentity } from './identity.ts'

test('an identity has 54 characters that nobody mistakes', () => {
  const identities = new Set(Array.from({ length: 200 }, () => createIdentity(randomBytes)))
  expect(identities.size).toBe(200)
  for (const identity of identities) expect(identity).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{54}$/)
})

test('bytes that would favour some letters are thrown away', () => {
  const answers = [new Uint8Array(54).fill(255), new Uint8Array(54).fill(27)]
  expect(createIdentity(() => answers.shift() ?? new Uint8Array())).toBe('b'.repeat(54))
})

test('without randomness there is no identity', () => {
  expect(() => createIdentity(() => new Uint8Array(54).fill(255))).toThrow(/no randomness/)
})
