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
    ['the value of the key below', `${c('app')}\na: x\nb: y\n`, `${c('app')}\na: ghcr.io/a/app:2.0\nb: y\n`],
    ['the item below', `a:\n  ${c('app:tag')}\n  - "1"\n  - "1"\n`, `a:\n  ${c('app:tag')}\n  - "2.0"\n  - "1"\n`],
    [
      'what is below the lines of a comment',
      `a:\r\n  ${c('app')}\r\n  # why\r\n  b: 'x'\r\n`,
      `a:\r\n  ${c('app')}\r\n  # why\r\n  b: 'ghcr.io/a/app:2.0'\r\n`,
    ],
    ['an anchored item below', `${c('app')}\n- &x !!str y # and why\n- *x`, `${c('app')}\n- &x !!str ghcr.io/a/app:2.0 # and why\n- *x`],
    ['below a quoted key', `${c('app')}\n"a b": x\n`, `${c('app')}\n"a b": ghcr.io/a/app:2.0\n`],
    [
      'below, within brackets',
      `a: {\n  ${c('app')}\n  b: x, c: y }\nd: [\n  ${c('app:name')}\n  x,\n  y ]\n`,
      `a: {\n  ${c('app')}\n  b: ghcr.io/a/app:2.0, c: y }\nd: [\n  ${c('app:name')}\n  ghcr.io/a/app,\n  y ]\n`,
    ],
    ['what has one above and behind', `${c('app')}\na: x ${c('app')}\n`, `${c('app')}\na: ghcr.io/a/app:2.0 ${c('app')}\n`],
    ['what follows a text of several lines', `t: |\n  x\n${c('app')}\na: x\n`, `t: |\n  x\n${c('app')}\na: ghcr.io/a/app:2.0\n`],
    ['what follows an empty text', `t: |\n${c('app')}\na: x\n`, `t: |\n${c('app')}\na: ghcr.io/a/app:2.0\n`],
  ])('sets %s', (_name, before, after) => {
    expect(apply(before)).toBe(after)
    expect(applySetters(after, VALUES)).toEqual({ text: after, settings: [] })
  })

  test.each([
    ['of somebody else', `a: x ${c('other')}\n`],
    ['in a text', `a: |\n  b: x ${c('app')}\n`],
    ['in quotes', `a: 'x ${c('app')}'\n`],
    ['of somebody else on a line of its own', `${c('other')}\na:\n  - b: x\n`],
    ['on a line of its own in a text', `a: |\n  ${c('app')}\n  b: x\nc: >-\n  x\n  ${c('app')}\nd: y\n`],
    ['on a line of its own in quotes', `a: "x\n  ${c('app').replaceAll('"', '\\"')}\n  b: x"\nb: 'x\n  ${c('app')}\n\n  y'\n`],
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
    ['a text of several lines', `a: |- ${c('app')}\n  b\n`, /^line 1: the value of setter "app" has several lines/],
    ['a quoted value of several lines', `a: "b\n  c" ${c('app')}\n`, /has several lines/],
    ['the end of brackets', `a: { b: c } ${c('app')}\n`, /^line 1: the setter "app" has no value/],
    ['(above) a map', `${c('app')}\na:\n  b: x\n`, /^line 1: the setter "app" has no value on the line below it: move it right above/],
    [
      '(above) an item that is a map',
      `${c('app')}\n- name: x\n  image: y\n`,
      /^line 1: the setter "app" has no value on the line below it/,
    ],
    ['(above) brackets', `a: 1\n${c('app')}\nb: [x, y]\n`, /^line 2: the setter "app" has no value on the line below it/],
    ['(above) an alias', `a: &x 1\n${c('app')}\nb: *x\n`, /^line 2: the setter "app" has no value on the line below it/],
    ['(above) a key without a value', `${c('app')}\nb:\n  x\n`, /^line 1: the setter "app" has no value on the line below it/],
    ['(above) a gap', `${c('app')}\n\nb: x\n`, /^line 1: the setter "app" has no value on the line below it/],
    ['(above) another document', `a: 1\n${c('app')}\n---\nb: x\n`, /^line 2: the setter "app" has no value on the line below it/],
    ['(above) nothing', `a: 1\n${c('app')}`, /^line 2: the setter "app" has no value on the line below it/],
    ['(above) a text', `${c('app')}\na: |-\n  x\n`, /^line 1: the value of setter "app" has several lines/],
    ['another one', `${c('app:tag')}\na: x ${c('app')}\n`, /^line 2: the setters "app:tag" and "app" are about the same value: keep one/],
    ['an alias', `a: &x 1\nb: *x ${c('app')}\n`, /^line 2: the setter "app" has no value/],
  ])('behind %s is an error', (_name, text, message) => {
    expect(() => apply(text)).toThrow(message)
  })

  test('a file that is no YAML is an error only if it has setters', () => {
    expect(() => apply(`a: {{ .x }}\nb: x ${c('app')}\n  c: [\n`)).toThrow(/line/)
    expect(apply('a: {{ .x }}\n  b: [\n')).toBe('a: {{ .x }}\n  b: [\n')
  })

  test('tells what it set', () => {
    expect(applySetters(`x: 1\n${c('app:tag')}\n# z\nt: "1"\n`, VALUES).settings).toEqual([
      { line: 4, setter: 'app:tag', from: '1', to: '2.0' },
    ])
    expect(applySetters(`x: 1\nt: "1" ${c('app:tag')}\n`, VALUES).settings).toEqual([{ line: 2, setter: 'app:tag', from: '1', to: '2.0' }])
  })
})

// Files made of lines, some of which have a setter: what is outside of the values must come through byte by byte.
const MARK = '# {"$imagescan": "set"}'
const word = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9._/-]{0,12}$/)
const image = fc.stringMatching(/^[a-z0-9][a-z0-9./:@_-]{0,20}[a-z0-9]$/)
const quoted = fc.tuple(fc.constantFrom('', "'", '"'), word)
const trailing = fc.constantFrom('', ' ', '\t', ' # a comment', ' # {"$imagescan": "other"}', '\t# ünï 😀')
/** `\0` stands on both sides of a value that is to be set. */
const plainLine = fc.tuple(word, quoted, trailing).map(([key, [quote, text], tail]) => `k${key}: ${quote}${text}${quote}${tail}`)
const behind = fc
  .tuple(
    fc.nat(1_000_000),
    quoted,
    fc.constantFrom(' ', '   ', '\t'),
    fc.constantFrom('', ' ', '\t '),
    fc.constantFrom('', '&a ', '!!str ', '&b !x '),
  )
  .map(([n, [quote, text], gap, end, anchor]) => `s${n}: ${anchor}${quote}\0${text}\0${quote}${gap}${MARK}${end}`)
const above = fc
  .tuple(fc.nat(1_000_000), quoted, fc.constantFrom('', '# why\n', '# why\n  # {"$imagescan": "other"}\n'), trailing)
  .map(([n, [quote, text], between, tail]) => `${MARK}\n${between}a${n}: ${quote}\0${text}\0${quote}${tail}`)
const items = fc
  .tuple(
    fc.nat(1_000_000),
    fc.array(fc.tuple(fc.constantFrom('none', 'above', 'behind'), quoted, fc.constantFrom('', '&c ')), { minLength: 1, maxLength: 4 }),
  )
  .map(([n, list]) => {
    const item = ([place, [quote, text], anchor]: (typeof list)[number]): string => {
      const value = place === 'none' ? text : `\0${text}\0`
      return `${place === 'above' ? `  ${MARK}\n` : ''}  - ${anchor}${quote}${value}${quote}${place === 'behind' ? ` ${MARK}` : ''}`
    }
    return `l${n}:\n${list.map(item).join('\n')}`
  })
const brackets = fc
  .tuple(fc.nat(1_000_000), quoted)
  .map(([n, [quote, text]]) => `f${n}: {\n  ${MARK}\n  a: ${quote}\0${text}\0${quote}, b: [x,\n  "\0${text}\0", ${MARK}\n  y ] }`)
const noise = fc.constantFrom(
  '# comment',
  '',
  'nested:\n  - a\n  -   b # x',
  `text: |\n  ${MARK}\n  a: b`,
  `quoted: 'x\n  ${MARK}\n  a'`,
  '---',
  '--- # next',
)
const file = fc.tuple(
  fc.array(fc.oneof(plainLine, behind, above, items, brackets, noise), { maxLength: 30 }),
  fc.constantFrom('\n', '\r\n'),
  fc.boolean(),
  fc.boolean(),
)

test('what is outside of set values never changes, and all of them are set', () => {
  fc.assert(
    fc.property(file, image, ([lines, eol, ends, hasMark], to) => {
      const pattern = (hasMark ? '\ufeff' : '') + lines.join('\n').replaceAll('\n', eol) + (ends ? eol : '')
      const before = pattern.replaceAll('\0', '')
      const { text: after, settings } = applySetters(before, new Map([['set', to]]))
      const parts = pattern.split('\0')
      // parts with an even index are outside; what is set may have got quotes
      const expected = parts.map((part, index) =>
        index % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : `"?${to.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"?`,
      )
      expect(after).toMatch(new RegExp(`^${expected.join('')}$`))
      expect(before === after).toBe(settings.length === 0)
      expect(settings.length).toBe(parts.filter((part, index) => index % 2 === 1 && part !== to).length)
      expect(applySetters(after, new Map([['set', to]])).settings).toEqual([])
      if (settings.length > 0) expect(JSON.stringify(parseYamlDocuments(after))).toContain(JSON.stringify(to))
    }),
    { numRuns: 500 },
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
