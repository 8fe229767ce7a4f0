import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareUtf8, cutUtf8 } from './utf8.ts'

test('texts are ordered as their bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('each byte of a character that is cut in two is replaced', () => {
  expect(cutUtf8('a☃b', 1)).toBe('a')
  expect(cutUtf8('a☃b', 2)).toBe('a\ufffd')
  expect(cutUtf8('a☃b', 3)).toBe('a\ufffd\ufffd')
  expect(cutUtf8('a☃b', 4)).toBe('a☃')
  expect(cutUtf8('\u{1f600}', 3)).toBe('\ufffd\ufffd\ufffd')
  expect(cutUtf8('é', 9)).toBe('é')
})
