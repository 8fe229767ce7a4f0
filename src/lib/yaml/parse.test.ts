import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { YamlError } from './error.ts'
import { parseYaml, parseYamlDocuments } from './parse.ts'

/** JSON as Go writes it, with the digits of big integers. */
function exactJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(exactJson).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return `{${entries.map(([key, entry]) => `${exactJson(key)}:${exactJson(entry)}`).join(',')}}`
  }
  if (Object.is(value, -0)) return '-0'
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function failure(text: string, limits = {}): YamlError {
  try {
    parseYaml(text, limits)
  } catch (error) {
    if (error instanceof YamlError) return error
    throw error
  }
  throw new Error('expected a YamlError')
}

checkVectors<{ yaml: string }, { json: string }>(
  'yaml-typing.json',
  (input) => ({ json: exactJson(parseYaml(input.yaml, { bigIntegers: true })) }),
  {
    only: (input) => 'yaml' in input,
  },
)

describe('types of scalars', () => {
  test.each([
    ['[yes, Off, y, N, oN]', [true, false, true, false, 'oN']],
    ['[0777, 0o17, 1_000, 0b11, -0x1F, 08, +5]', [511, 15, 1000, 3, -31, 8, 5]],
    ['[1e3, .5, 5., .5_0, 1.5.0, 1e400]', [1000, 0.5, 5, 0.5, '1.5.0', '1e400']],
    ['[12:30, 2024-01-01, 2024-01-02T03:04:05Z]', ['12:30', '2024-01-01', '2024-01-02T03:04:05Z']],
    ['[!!str 12, !!int "7", !!float 1, !!bool "true", !!null "", !!binary aGk=, !anything x]', ['12', 7, 1, true, null, 'hi', 'x']],
    ['{1: a, 1.5: b, yes: c, 0x10: d, 1e6: e, .inf: f}', { '1': 'a', '1.5': 'b', true: 'c', '16': 'd', '1e+06': 'e', '.inf': 'f' }],
    ['%TAG ! tag:yaml.org,2002:\n---\nv: !int "7"', { v: 7 }],
  ])('%s', (text, value) => {
    expect(parseYaml(text)).toEqual(value)
  })

  test('integers beyond a double are rounded, or bigint on request', () => {
    expect(parseYaml('v: 9007199254740993')).toEqual({ v: 9007199254740992 })
    expect(parseYaml('v: 9007199254740993', { bigIntegers: true })).toEqual({ v: 9007199254740993n })
    expect(parseYaml('v: 18446744073709551616', { bigIntegers: true })).toEqual({ v: 18446744073709552000 })
  })
})

describe('maps', () => {
  test('the last of equal keys wins', () => {
    expect(parseYaml('a: 1\na: 2')).toEqual({ a: 2 })
  })

  test('merge keys count where they stand, the first of a list wins', () => {
    expect(parseYaml('x: &x {p: 1, q: 2}\nz: {q: 3, <<: *x, p: 5}')).toEqual({ x: { p: 1, q: 2 }, z: { p: 5, q: 2 } })
    expect(parseYaml('x: &x {p: 1}\nz: {<<: [*x, {p: 2, q: 2}]}')).toEqual({ x: { p: 1 }, z: { p: 1, q: 2 } })
  })

  test('what an alias repeats is a copy', () => {
    const { a, b } = parseYaml('a: &x {c: {m: 1}}\nb: *x') as Record<string, { c: object }>
    expect(b).toEqual(a)
    expect(b?.c).not.toBe(a?.c)
  })
})

describe('text', () => {
  test('a block that ends with the file ends without line break', () => {
    expect(parseYaml('a: |\n  one\n  two')).toEqual({ a: 'one\ntwo' })
    expect(parseYaml('a: |\n  one\n  two\n')).toEqual({ a: 'one\ntwo\n' })
    expect(parseYaml('a: |+\n  one\n  ')).toEqual({ a: 'one\n' })
  })

  test('brackets and quotes may go on without indentation', () => {
    expect(parseYaml('a:\n  b: [1,\n2,\n  ]\n  c: {x: "one\ntwo", # note\n}\nd: 1')).toEqual({
      a: { b: [1, 2], c: { x: 'one two' } },
      d: 1,
    })
    expect(() => parseYaml('a: [1,\n---\n]')).toThrow(YamlError)
    expect(failure('a:\n  b: [1,\n  2,\n*x]')).toMatchObject({ line: 4, column: 1 })
  })

  test('windows line ends and a byte order mark', () => {
    expect(parseYaml('\ufeffa: |\r\n  one\r\n  two\r\nb: 1\r\n')).toEqual({ a: 'one\ntwo\n', b: 1 })
  })
})

describe('documents', () => {
  test('the first one counts, all can be had', () => {
    expect(parseYaml('a: 1\n---\nb: 2')).toEqual({ a: 1 })
    expect(parseYaml('a: 1\n---\nb: [')).toEqual({ a: 1 })
    expect(parseYaml('%YAML 1.1\n# note\n--- # start\na: |\n  ---\n...\n: [')).toEqual({ a: '---\n' })
    expect(parseYaml('---\n---\na: 1')).toBeNull()
    expect(parseYamlDocuments('a: 1\n---\n---\nb: 2\n...\n')).toEqual([{ a: 1 }, null, { b: 2 }])
    expect(parseYamlDocuments('# nothing\n')).toEqual([])
    expect(parseYaml('')).toBeNull()
  })

  test('an anchor does not reach the next document', () => {
    expect(() => parseYamlDocuments('a: &x 1\n---\nb: *x')).toThrow(/no anchor &x/)
  })

  test('text that begins like an anchor is no anchor, and not lost', () => {
    expect(() => parseYaml('a: &lt;b&gt;')).toThrow(/quotes around it/)
    expect(parseYaml('a: &A-1_b c\nd: *A-1_b')).toEqual({ a: 'c', d: 'c' })
  })
})

describe('errors', () => {
  test.each([
    ['a: [1, 2', 1, 9],
    ['a: 1\nb:\n\tc: 2', 3, 1],
    ['a: 1\nb: *x', 2, 4],
    ['a: 1\n? [b]\n: 2', 2, 3],
    ['a: .inf', 1, 4],
    ['a: !!int x', 1, 4],
    ['a: {__proto__: {b: 1}}', 1, 5],
    ['a: {<<: 1}', 1, 9],
    ['a: "\\ud800"', 1, 5],
    ['a: &x [*x]', 1, 8],
  ])('%s', (text, line, column) => {
    expect(failure(text)).toMatchObject({ line, column })
  })

  test('name the place in the message, but no content', () => {
    const error = failure('password: hunter2\nother: "hunter3\n')
    expect(error.message).toContain(`line ${error.line}, column ${error.column}`)
    expect(error.message).not.toContain('hunter')
  })

  test('limits: bytes, depth, values, copies of aliases', () => {
    expect(failure('a: 1', { maxBytes: 3 }).message).toBe('longer than 3 bytes')
    expect(failure('é', { maxBytes: 1 }).message).toBe('longer than 1 bytes')
    expect(failure('['.repeat(200)).message).toMatch(/nesting|nested/)
    expect(failure('[1, 2, 3]', { maxNodes: 3 }).message).toMatch(/more than 3 values/)
    const bomb = Array.from(
      { length: 12 },
      (_, level) =>
        `a${level}: &a${level} [${Array(10)
          .fill(level === 0 ? 'x' : `*a${level - 1}`)
          .join(', ')}]`,
    )
    expect(failure(bomb.join('\n')).message).toMatch(/more than 1000000 values/)
    const deep = Array.from(
      { length: 12 },
      (_, level) => `a${level}: &a${level} [[[[[[[[[[${level === 0 ? 'x' : `*a${level - 1}`}]]]]]]]]]]`,
    )
    expect(failure(deep.join('\n')).message).toMatch(/deeper than 100 levels/)
  })
})

describe('any text', () => {
  const token = fc.constantFrom(
    ...'abc:-?[]{},&*!|>\'"%@`#\n\t .0e<~'.split(''),
    '\n  ',
    '\n- ',
    ': ',
    '&a ',
    '*a',
    '<<: ',
    '--- ',
    '"\\',
    '!!int ',
    '\u0085',
    '\ufeff',
  )
  test('gives values or a YamlError, quickly', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(token, { maxLength: 60 }).map((parts) => parts.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          try {
            JSON.stringify(parseYamlDocuments(text))
          } catch (error) {
            expect(error).toBeInstanceOf(YamlError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
