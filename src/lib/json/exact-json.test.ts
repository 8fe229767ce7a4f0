import { expect, test } from 'vitest'
import { encodeExactJson, parseExactJson } from './exact-json.ts'

test('integers beyond the precision of a double come back as they were', () => {
  const text = '{"max":9223372036854775807,"min":[-9007199254740993],"size":3,"ratio":1.5,"huge":1e+300,"text":"9223372036854775807"}'
  const value = parseExactJson(text)
  expect(value).toEqual({
    max: 9223372036854775807n,
    min: [-9007199254740993n],
    size: 3,
    ratio: 1.5,
    huge: 1e300,
    text: '9223372036854775807',
  })
  expect(encodeExactJson(value)).toBe(text)
})

test('a value that is no JSON stays an error', () => {
  const loop: Record<string, unknown> = {}
  loop.self = loop
  expect(() => encodeExactJson(loop)).toThrow(TypeError)
})
