import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatFloat } from './float.ts'

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

test('the shortest text reads back as the same float, in every format', () => {
  fc.assert(
    fc.property(finite, fc.constantFrom('e', 'f', 'g', 'E', 'G'), (value, format) => {
      expect(Number(formatFloat(value, format, -1))).toBe(value)
    }),
  )
})

test('as many digits as a float needs read back as the same float', () => {
  fc.assert(
    fc.property(finite, (value) => {
      expect(Number(formatFloat(value, 'e', 16))).toBe(value)
    }),
  )
})

test('rounding is exact, halves to even', () => {
  expect([0.5, 1.5, 2.5, 0.125, 0.375].map((value) => formatFloat(value, 'f', value < 0.5 ? 2 : 0))).toEqual([
    '0',
    '2',
    '2',
    '0.12',
    '0.38',
  ])
  expect(formatFloat(0.1, 'f', 55)).toBe('0.1000000000000000055511151231257827021181583404541015625')
  expect(formatFloat(1e23, 'f', 0)).toBe('99999999999999991611392')
  expect(formatFloat(5e-324, 'e', 3)).toBe('4.941e-324')
})

test('what is no number', () => {
  expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0].map((value) => formatFloat(value, 'g', -1))).toEqual([
    'NaN',
    '+Inf',
    '-Inf',
    '-0',
  ])
})
