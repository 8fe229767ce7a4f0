import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { encodeGoJson, marshalGoJson, parseGoJson } from './go-json.ts'

checkVectors('go-json.json', ({ json }: { json: string }) => ({ text: encodeGoJson(parseGoJson(json)) }))

describe('JSON as Go writes it', () => {
  test('is JSON for the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // Go keeps the sign of a zero
        const unsigned = (_key: string, each: unknown): unknown => (each === 0 ? 0 : each)
        expect(JSON.parse(marshalGoJson(value), unsigned)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('keys come in the order of their bytes', () => {
    expect(marshalGoJson({ '\u{1f600}': 1, '\uffff': 2, '10': 3, '9': 4 })).toBe('{"10":3,"9":4,"\uffff":2,"\u{1f600}":1}')
  })

  test('negative zero keeps its sign', () => {
    expect(marshalGoJson([-0, 0])).toBe('[-0,0]')
  })

  test('undefined entries are not there', () => {
    expect(marshalGoJson({ a: undefined, b: null })).toBe('{"b":null}')
  })

  test('what JSON cannot say is refused', () => {
    expect(() => marshalGoJson([Number.NaN])).toThrow('NaN')
    expect(() => marshalGoJson({ a: () => 1 })).toThrow('function')
  })

  test('halves of surrogate pairs become the replacement character, in keys too', () => {
    expect(encodeGoJson(parseGoJson('{"\\ud800":1,"\\udc00":2}'))).toBe('{"\ufffd":2}\n')
  })

  test('a key named __proto__ is a key', () => {
    expect(encodeGoJson(parseGoJson('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}\n')
  })
})
