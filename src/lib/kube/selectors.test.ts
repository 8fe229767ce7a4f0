import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { compileSelector, formatSelector, InvalidSelectorError, type Labels, matchesSelector, parseSelector } from './selectors.ts'
import type { LabelSelector } from './types.ts'

type Input = { kind: 'object'; selector: LabelSelector | null; labels: Labels } | { kind: 'text'; selector: string; labels: Labels }

checkVectors('selectors.json', (input: Input) =>
  input.kind === 'object' ? matchesSelector(input.selector, input.labels) : parseSelector(input.selector)(input.labels),
)

describe('selectors of objects', () => {
  test('null and undefined match nothing, {} everything', () => {
    expect(matchesSelector(null, { a: 'b' })).toBe(false)
    expect(matchesSelector(undefined, {})).toBe(false)
    expect(matchesSelector({}, undefined)).toBe(true)
  })

  test('names of Object.prototype are no labels', () => {
    expect(matchesSelector({ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, {})).toBe(false)
    expect(parseSelector('!toString')({})).toBe(true)
  })

  test('null lists and maps of the wire count as absent', () => {
    expect(matchesSelector({ matchLabels: null, matchExpressions: null } as unknown as LabelSelector, {})).toBe(true)
  })

  test('the error names the label and the rule', () => {
    expect(() => compileSelector({ matchLabels: { 'a b': 'c' } })).toThrow(InvalidSelectorError)
    expect(() => compileSelector({ matchLabels: { env: 'a b' } })).toThrow('invalid value "a b" for label "env"')
    expect(() => compileSelector({ matchExpressions: [{ key: 'env', operator: 'Gt', values: ['1'] }] })).toThrow(
      '"Gt" is not a valid label selector operator',
    )
  })
})

describe('selectors as text', () => {
  test.each([
    ['env in (,prod)', { env: '' }, true],
    ['env in (prod,)', { env: '' }, true],
    ['env in (a,,b)', { env: '' }, true],
    ['env in (a,b)', { env: '' }, false],
    ['in in (in,notin)', { in: 'notin' }, true],
    ['env,!edge', { env: 'x', edge: 'y' }, false],
    ['size>9223372036854775806', { size: '9223372036854775807' }, true],
    ['size<5', { size: 'five' }, false],
    ['size<5', {}, false],
    ['\tenv\n!= prod ', { env: 'dev' }, true],
    ['fleet.cattle.io/cluster=edge-1', { 'fleet.cattle.io/cluster': 'edge-1' }, true],
  ])('%j on %j', (text, labels, expected) => {
    expect(parseSelector(text)(labels as Labels)).toBe(expected)
  })

  test.each([
    'env in (a,,)',
    'env in (a b)',
    'env in a',
    '!env=prod',
    'size>x',
    'size>9223372036854775808',
    'a=b c',
    '!!a',
    'env===x',
    '(a)',
    `a=${'x'.repeat(70_000)}`,
  ])('refuses %s', (text) => {
    expect(() => parseSelector(text.slice(0, 70_002))).toThrow(InvalidSelectorError)
  })

  test('arbitrary text either parses or fails with InvalidSelectorError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1 =!<>(),/.-in\n') }), (text) => {
        try {
          return typeof parseSelector(text)({ a: 'b' }) === 'boolean'
        } catch (error) {
          return error instanceof InvalidSelectorError
        }
      }),
    )
  })
})

const key = fc.constantFrom('env', 'region', 'fleet.cattle.io/cluster', 'x_y', 'a')
const value = fc.constantFrom('', 'prod', 'dev', '1', 'a.b-c')
const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.uniqueArray(value, { minLength: 1 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
)
const selector = fc.record({
  matchLabels: fc.dictionary(key, value),
  matchExpressions: fc.array(expression),
}) as fc.Arbitrary<LabelSelector>

test('formatSelector says the same as the selector', () => {
  fc.assert(
    fc.property(
      selector,
      fc.dictionary(key, value),
      (sel, labels) => parseSelector(formatSelector(sel))(labels) === matchesSelector(sel, labels),
    ),
  )
})

test('formatSelector is sorted and empty for {}', () => {
  expect(formatSelector({})).toBe('')
  expect(
    formatSelector({ matchLabels: { b: '1', a: '2' }, matchExpressions: [{ key: 'aa', operator: 'NotIn', values: ['z', 'y'] }] }),
  ).toBe('a=2,aa notin (y,z),b=1')
})
