import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { YamlError } from './error.ts'
import { parseYaml } from './parse.ts'
import { stringifyYaml } from './stringify.ts'

checkVectors<{ json: string }, { yaml: string }>('yaml-typing.json', (input) => ({ yaml: stringifyYaml(JSON.parse(input.json)) }), {
  only: (input) => 'json' in input,
})

describe('stringifyYaml', () => {
  test.each([
    [
      'lists stand below their key, nested ones beside each other',
      { a: [1, [2, [3]], { b: [{}] }] },
      'a:\n- 1\n- - 2\n  - - 3\n- b:\n  - {}\n',
    ],
    [
      'keys: others before letters, digits by number',
      { a10: 1, a9: 1, B: 1, _: 1, '10': 1, '9': 1 },
      '_: 1\n"9": 1\n"10": 1\nB: 1\na9: 1\na10: 1\n',
    ],
    [
      'what would be read as something else is quoted',
      ['no', '1.0', '~', '1:30', '2024-01-02', '0o7', ''],
      '- "no"\n- "1.0"\n- "~"\n- "1:30"\n- "2024-01-02"\n- "0o7"\n- ""\n',
    ],
    ['syntax is quoted', ['a: b', '#c', '- d', "'e'", 'f ', '%g'], "- 'a: b'\n- '#c'\n- '- d'\n- '''e'''\n- 'f '\n- '%g'\n"],
    ['blocks', { a: 'x\ny\n', b: 'x\ny', c: 'x\n\n', d: '  x\ny' }, 'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2-\n    x\n  y\n'],
    [
      'keys that cannot stand before a colon',
      { 'a\nb': [1], [`${'k'.repeat(130)}`]: 1 },
      `? |-\n  a\n  b\n: - 1\n? ${'k'.repeat(130)}\n: 1\n`,
    ],
    [
      'numbers',
      [1e21, 1e20, 123456.5, 1234567.5, -0, 1e-7, 18446744073709551615n],
      '- 1e+21\n- 1e+20\n- 123456.5\n- 1.2345675e+06\n- 0\n- 1e-07\n- 18446744073709551615\n',
    ],
    ['control characters', { a: 'tab\tin', b: '\ufeffx', c: '😀' }, 'a: "tab\\tin"\nb: "\\uFEFF\\x78"\nc: "\\U0001F600"\n'],
    ['undefined is left out of maps', { a: undefined, b: [undefined] }, 'b:\n- null\n'],
  ])('%s', (_, value, text) => {
    expect(stringifyYaml(value)).toBe(text)
  })

  test('folds at the first blank beyond 80 columns', () => {
    const words = 'word '.repeat(30).trim()
    const lines = stringifyYaml({ v: words }).trimEnd().split('\n')
    expect(lines.length).toBe(2)
    expect(lines[0]?.length).toBeGreaterThan(80)
    expect(parseYaml(lines.join('\n'))).toEqual({ v: words })
  })

  test('folds what YAML 1.1 takes for a line break, unless told to keep everything', () => {
    expect(stringifyYaml({ v: 'a\u0085b' })).toBe('v: a b\n')
    expect(stringifyYaml({ v: 'a\u0085b\u2028' }, { lossless: true })).toBe('v: "a\\Nb\\L"\n')
  })

  test('refuses what is no JSON', () => {
    expect(() => stringifyYaml(Number.NaN)).toThrow(YamlError)
    expect(() => stringifyYaml({ a: () => 1 })).toThrow(YamlError)
    expect(() => stringifyYaml('a\u007fb')).toThrow(/U\+007F/)
    const endless: unknown[] = []
    endless.push(endless)
    expect(() => stringifyYaml(endless)).toThrow(/nested deeper/)
  })

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const text = JSON.stringify({ json }).replaceAll('__proto__', 'proto').replaceAll('-0', '0')
        expect(parseYaml(stringifyYaml(JSON.parse(text), { lossless: true }))).toEqual(JSON.parse(text))
      }),
    )
  })
})
