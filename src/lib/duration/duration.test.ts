import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { formatDuration, parseDuration, parseDurationMs } from './duration.ts'

checkVectors('durations.json', ({ text }: { text: string }) => {
  const nanoseconds = parseDuration(text)
  return { nanoseconds: nanoseconds.toString(), text: formatDuration(nanoseconds) }
})

describe('durations', () => {
  test('what is written is read back as it was', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (nanoseconds) => {
        expect(parseDuration(formatDuration(nanoseconds))).toBe(nanoseconds)
      }),
    )
  })

  test('values of many parts may not overflow in the middle', () => {
    expect(() => parseDuration('2562047h2562047h')).toThrow('not a duration')
    expect(() => parseDuration('9223372036854775807ns1ns')).toThrow('not a duration')
  })

  test('a fraction of more digits than fit is cut', () => {
    expect(parseDuration('0.3333333333333333333h')).toBe(1_200_000_000_000n)
    expect(parseDuration('0.9223372036854775807h')).toBe(3_320_413_933_267n)
  })

  test('milliseconds', () => {
    expect(parseDurationMs('1.5s')).toBe(1500)
    expect(() => parseDurationMs('constructors')).toThrow('not a duration')
  })
})
