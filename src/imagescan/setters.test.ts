import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseYamlDocuments } from '../lib/yaml/parse.ts'
import { applySetters } from './setters.ts'

const VALUES = new Map([
  ['app', 'ghcr.io/a/app:2.0'],
  ['app:tag', '2.0'],
  ['app:name', 'ghcr.io/a/app'],
  ['app:digest', `ghcr.io/a/app:2.0@sha256:${'0'.repeat(64)}`],
  ['yes:tag', 'yes'],
  ['odd', `it's "odd"\\`],
])
const c = (name: string): string => `# {"$imagescan": ${JSON.stringify(name)}}`
const apply = (text: string): string => applySetters(text, VALUES).text

describe('a setter', () => {
  test.each([
    ['a plain value', `image: ghcr.io/a/app:1.0 ${c('app')}\n`, `image: ghcr.io/a/app:2.0 ${c('app')}\n`],
    ['a name', `image:   x   ${c('app:name')}  \n`, `image:   ghcr.io/a/app   ${c('app:name')}  \n`],
    ['a digest', `- x ${c('app:digest')}`, `- ghcr.io/a/app:2.0@sha256:${'0'.repeat(64)} ${c('app:digest')}`],
    ['a double quoted value', `t: "1" ${c('app:tag')}\r\nu: 1\r\n`, `t: "2.0" ${c('app:tag')}\r\nu: 1\r\n`],
    ['a single quoted value', `t: '1''s'\t${c('odd')}\n`, `t: 'it''s "odd"\\'\t${c('odd')}\n`],
    ['quotes in quotes', `t: "\\"1" ${c('odd')}\n`, `t: "it's \\"odd\\"\\\\" ${c('odd')}\n`],
    ['a plain number', `t: 1.9 ${c('app:tag')}\n`, `t: "2.0" ${c('app:tag')}\n`],
    ['what would be a boolean', `t: no1 ${c('yes:tag')}\n`, `t: "yes" ${c('yes:tag')}\n`],
    ['an item', `a:\n- x ${c('app')}\n- y\n`, `a:\n- ghcr.io/a/app:2.0 ${c('app')}\n- y\n`],
    ['an anchored and tagged value', `a: &x !!str old ${c('app')}\nb: *x\n`, `a: &x !!str ghcr.io/a/app:2.0 ${c('app')}\nb: *x\n`],
    [
      'brackets over several lines',
      `a: {\n  b: x, ${c('app')}\n  c: "y" ${c('app:name')}\n}\n`,
      `a: {\n  b: ghcr.io/a/app:2.0, ${c('app')}\n  c: "ghcr.io/a/app" ${c('app:name')}\n}\n`,
    ],
    [
      'several documents',
      `a: 1\n---\nb: x ${c('app')}\n---\n# c\nc: y ${c('app:name')}\n`,
      `a: 1\n---\nb: ghcr.io/a/app:2.0 ${c('app')}\n---\n# c\nc: ghcr.io/a/app ${c('app:name')}\n`,
    ],
    ['a byte order mark', `\ufeffa: x ${c('app')}\n`, `\ufeffa: ghcr.io/a/app:2.0 ${c('app')}\n`],
    ['more in the comment', `a: x # {"$imagescan": "app", "x": "y"}\n`, `a: ghcr.io/a/app:2.0 # {"$imagescan": "app", "x": "y"}\n`],
    [
      'brackets that go on without indentation',
      `a: [\nx, ${c('app')}\ny ]\nb: z ${c('app')}\n`,
      `a: [\nghcr.io/a/app:2.0, ${c('app')}\ny ]\nb: ghcr.io/a/app:2.0 ${c('app')}\n`,
    ],
  ])('sets %s', (_name, before, after) => {
    expect(apply(before)).toBe(after)
    expect(applySetters(after, VALUES)).toEqual({ text: after, settings: [] })
  })

  test.each([
    ['of somebody else', `a: x ${c('other')}\n`],
    ['in a text', `a: |\n  b: x ${c('app')}\n`],
    ['in quotes', `a: 'x ${c('app')}'\n`],
    ['on a line of its own', `${c('app')}\na: x\n`],
    ['that is commented out', `# a: x ${c('app')}\nb: 1\n`],
    ['that is no JSON', 'a: x # {"$imagescan": app}\n'],
    ['of another type', 'a: x # {"$imagescan": 1}\nb: y # ["$imagescan"]\n'],
    ['behind a key alone', `? x ${c('other')}\n: y\n`],
    ['that names what a prototype has', `a: x ${c('constructor')}\nb: y # {"__proto__": {"$imagescan": "app"}}\n`],
  ])('%s changes nothing', (_name, text) => {
    expect(applySetters(text, VALUES)).toEqual({ text, settings: [] })
  })

  test.each([
    ['an empty value', `a: 1\nb: ${c('app')}\n`, /^line 2: the setter "app" has no value before it/],
    ['a text of several lines', `a: |- ${c('app')}\n  b\n`, /^line 2: the value of setter "app" has several lines/],
    ['a quoted value of several lines', `a: "b\n  c" ${c('app')}\n`, /has several lines/],
    ['the end of brackets', `a: { b: c } ${c('app')}\n`, /^line 1: the setter "app" has no value/],
    ['an alias', `a: &x 1\nb: *x ${c('app')}\n`, /^line 2: the setter "app" has no value/],
  ])('behind %s is an error', (_name, text, message) => {
    expect(() => apply(text)).toThrow(message)
  })

  test('a file that is no YAML is an error only if it has setters', () => {
    expect(() => apply(`a: {{ .x }}\nb: x ${c('app')}\n  c: [\n`)).toThrow(/line/)
    expect(apply('a: {{ .x }}\n  b: [\n')).toBe('a: {{ .x }}\n  b: [\n')
  })

  test('tells what it set', () => {
    expect(applySetters(`x: 1\nt: "1" ${c('app:tag')}\n`, VALUES).settings).toEqual([{ line: 2, setter: 'app:tag', from: '1', to: '2.0' }])
  })
})

// Files made of lines, some of which have a setter: what is outside of the values must come through byte by byte.
const word = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9._/-]{0,12}$/)
const image = fc.stringMatching(/^[a-z0-9][a-z0-9./:@_-]{0,20}[a-z0-9]$/)
const quoted = fc.tuple(fc.constantFrom('', "'", '"'), word).map(([quote, text]) => ({ open: `${quote}`, text, close: quote }))
const trailing = fc.constantFrom('', ' ', '\t', ' # a comment', ' # {"$imagescan": "other"}', '\t# ünï 😀')
const plainLine = fc
  .tuple(word, quoted, trailing)
  .map(([key, { open, text, close }, tail]) => [`k${key}: ${open}${text}${close}${tail}`] as const)
const setLine = fc
  .tuple(fc.nat(1_000_000), quoted, fc.constantFrom(' ', '   ', '\t'), fc.constantFrom('', ' ', '\t '))
  .map(([n, { open, text, close }, gap, end]) => [`s${n}: ${open}`, text, `${close}${gap}# {"$imagescan": "set"}${end}`] as const)
const noise = fc.constantFrom(
  ['# comment'] as const,
  [''] as const,
  ['nested:\n  - a\n  -   b # x'] as const,
  ['text: |\n  # {"$imagescan": "set"}\n  a: b'] as const,
)
const file = fc.tuple(fc.array(fc.oneof(plainLine, setLine, noise), { maxLength: 30 }), fc.constantFrom('\n', '\r\n'), fc.boolean())

test('what is outside of set values never changes', () => {
  fc.assert(
    fc.property(file, image, ([lines, eol, ends], to) => {
      const render = (value: (text: string) => string): string =>
        lines
          .map(([before, text, after]) => (text === undefined ? before.replaceAll('\n', eol) : `${before}${value(text)}${after}`))
          .join(eol) + (ends ? eol : '')
      const before = render((text) => text)
      const { text: after, settings } = applySetters(before, new Map([['set', to]]))
      const parts = render(() => '\0').split('\0')
      let at = 0
      for (const part of parts) {
        const found = after.indexOf(part, at)
        expect(found).toBeGreaterThanOrEqual(at)
        if (at === 0) expect(found).toBe(0)
        at = found + part.length
      }
      expect(at).toBe(after.length)
      expect(before === after).toBe(settings.length === 0)
      expect(applySetters(after, new Map([['set', to]])).settings).toEqual([])
      const values = JSON.stringify(parseYamlDocuments(after))
      if (settings.length > 0) expect(values).toContain(JSON.stringify(to))
    }),
    { numRuns: 300 },
  )
})

test('never hangs or fails but with its errors, whatever is in the file', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '# {"$imagescan": "set"}',
    '"',
    "'",
    '|',
    '>',
    '{',
    '}',
    '[',
    ']',
    ',',
    '&x ',
    '*x',
    '---\n',
    '\r\n',
    '\t',
    'é',
    '?',
    '!',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      try {
        const { text: after, settings } = applySetters(text, new Map([['set', 'x:1']]))
        if (settings.length === 0) expect(after).toBe(text)
      } catch (error) {
        expect(['YamlError', 'TerminalError']).toContain((error as Error).name)
      }
    }),
    { numRuns: 2_000 },
  )
})
