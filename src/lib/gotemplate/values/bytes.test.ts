import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteLength, characterCount, fromBytes, isAscii, joinBytes, sliceBytes, toBytes, withoutBytes } from './bytes.ts'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc
    .array(fc.constantFrom(0x41, 0xc3, 0xa9, 0xe2, 0x98, 0x83, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xc0, 0xff), { maxLength: 20 })
    .map((list) => Uint8Array.from(list)),
)

test('any bytes make a text that has these bytes', () => {
  fc.assert(
    fc.property(bytes, (value) => {
      const text = fromBytes(value)
      expect([...toBytes(text)]).toEqual([...value])
      expect(byteLength(text)).toBe(value.length)
      expect(joinBytes(text)).toBe(text)
    }),
  )
})

test('any text keeps its characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(fromBytes(toBytes(text))).toBe(text)
      expect(withoutBytes(text)).toBe(text)
      expect(byteLength(text)).toBe(Buffer.byteLength(text))
      expect(characterCount(text)).toBe([...text].length)
      expect(isAscii(text)).toBe(byteLength(text) === text.length)
    }),
  )
})

test('a text that is cut in two comes together again', () => {
  fc.assert(
    fc.property(bytes, fc.nat(20), (value, at) => {
      const text = fromBytes(value)
      expect([...toBytes(joinBytes(sliceBytes(text, 0, at) + sliceBytes(text, at)))]).toEqual([...value])
    }),
  )
})

test('what is no character shows as U+FFFD, byte by byte', () => {
  expect(withoutBytes(fromBytes(Buffer.of(0x61, 0xe2, 0x98, 0x62, 0xff)))).toBe('a\ufffd\ufffdb\ufffd')
})
