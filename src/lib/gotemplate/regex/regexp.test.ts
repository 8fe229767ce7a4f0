import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FunctionError, TemplateLimitError } from '../errors.ts'
import { DEFAULT_LIMITS, Meter } from '../limits.ts'
import { compile, find, findAll, replaceAll, split } from './regexp.ts'

const meter = () => new Meter(DEFAULT_LIMITS)

function texts(pattern: string, text: string): string[] {
  return findAll(compile(pattern, meter()), text, -1, meter()).map(([start, end]) => text.slice(start, end))
}

test.each([
  ['(a|ab)(c|bcd)', 'abcd', ['abcd']],
  ['a*?', 'aa', ['', '', '']],
  ['(?i)straße', 'STRAßE', ['STRAßE']],
  ['[[:alpha:]]+', 'ab1é', ['ab']],
  ['\\p{Greek}+', 'aβγ', ['βγ']],
  ['(?s)a.b', 'a\nb', ['a\nb']],
  ['(?m)^b$', 'a\nb\nc', ['b']],
  ['\\Qa.b\\E', 'a.b axb', ['a.b']],
  ['x{2,3}', 'xxxxx', ['xxx', 'xx']],
  ['😀?☃', '😀☃☃', ['😀☃', '☃']],
])('%s finds in %j', (pattern, text, expected) => {
  expect(texts(pattern, text)).toEqual(expected)
})

describe('what is no regular expression of Go', () => {
  test.each([
    '(',
    ')',
    '[',
    '[z-a]',
    '*',
    'a**',
    'a{1001}',
    'a{2,1}',
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(a)\\1',
    '\\Z',
    '\\y',
    '\\',
    '(?x)a',
    '\\p{Nope}',
  ])('%s', (pattern) => {
    expect(() => compile(pattern, meter())).toThrow(FunctionError)
  })
})

test('too large expressions break a limit', () => {
  expect(() => compile('a{900}'.repeat(20), meter())).toThrow(TemplateLimitError)
  expect(() => compile('a'.repeat(5_000), meter())).toThrow(TemplateLimitError)
})

test('matching takes a time that grows with the length of the text', () => {
  const text = 'a'.repeat(30_000)
  for (const pattern of ['(a*)*b', '(a|a)*b', '(a+)+$b', '(.*)(.*)(.*)b'])
    expect(find(compile(pattern, meter()), text, meter())).toBeUndefined()
})

// where both languages mean the same, both must find the same
const simple = fc
  .array(fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '(a|b)', '(?:ab)', 'a*', 'b+', 'a?', '(?:a|b)*?', 'b{2}', '\\b', '|'), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''))

test('finds what JavaScript finds', () => {
  fc.assert(
    fc.property(simple, fc.string({ unit: fc.constantFrom('a', 'b', '1', ' '), maxLength: 12 }), (pattern, text) => {
      const own = find(compile(pattern, meter()), text, meter())
      const other = new RegExp(pattern, 'u').exec(text)
      expect(own?.slice(0, 2)).toEqual(other ? [other.index, other.index + other[0].length] : undefined)
    }),
    { numRuns: 500 },
  )
})

test('splitting and replacing go together', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', ','), maxLength: 12 }), (text) => {
      const comma = compile(',', meter())
      expect(replaceAll(comma, text, meter(), () => '-')).toBe(text.replaceAll(',', '-'))
      expect(split(comma, ',', text, -1, meter())).toEqual(text.split(','))
    }),
  )
})
