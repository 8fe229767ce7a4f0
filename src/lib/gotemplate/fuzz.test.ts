import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TemplateExecError, TemplateLimitError, TemplateSyntaxError } from './errors.ts'
import { STANDARD_FUNCTIONS } from './functions/table.ts'
import { compileTemplate } from './template.ts'

// they would make the test slow, not fail
const SLOW = /^(bcrypt|htpasswd|derivePassword|gen.*)$/
const NAMES = [...STANDARD_FUNCTIONS.keys()].filter((name) => !SLOW.test(name))
const LIMITS = { steps: 20_000, created: 200_000, outputLength: 100_000 }
const DATA = { s: 'héllo\ud83d\ude00', n: 3, f: -1.5, t: true, z: null, l: [1, 'a', null, [2]], m: { a: { b: 'c' }, l: [] } }

function isDocumented(text: string): boolean {
  const options = {
    delimiters: ['${', '}'] as const,
    limits: LIMITS,
    random: (count: number) => new Uint8Array(count).fill(7),
    now: () => 0,
  }
  try {
    return typeof compileTemplate(text, options).render(DATA) === 'string'
  } catch (error) {
    if (error instanceof TemplateSyntaxError || error instanceof TemplateExecError || error instanceof TemplateLimitError) return true
    throw new Error(`${text} threw`, { cause: error })
  }
}

const word = fc.constantFrom(
  ...['${', '}', '${-', '-}', ' ', '|', '(', ')', '.', '.s', '.m.a', '.l', '$', '$x', ':=', '=', ',', '"', '`', "'", '\\', '\n'],
  ...[
    'if',
    'else',
    'end',
    'range',
    'with',
    'define',
    'template',
    'block',
    'break',
    'continue',
    'nil',
    'true',
    'print',
    'é',
    '1',
    '-1.5e3',
    '0x',
  ],
  ...[
    '${ if .t }',
    '${ else }',
    '${ end }',
    '${ range $i, $v := .l }',
    '${ with .m }',
    '${ template "t" . }',
    '${ define "t" }',
    '/*',
    '*/',
  ],
)

test('no text makes the parser throw anything else', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 5, unit: 'grapheme' })), { maxLength: 20 }), (words) =>
      isDocumented(words.join('')),
    ),
  )
})

const literal = fc.oneof(
  fc.constantFrom(
    '.',
    '.s',
    '.n',
    '.f',
    '.t',
    '.z',
    '.l',
    '.m',
    '.m.a',
    'nil',
    'true',
    '0',
    '1',
    '-1',
    '1.5',
    '1e300',
    "'x'",
    '1i',
    '9223372036854775807',
  ),
  fc.constantFrom(
    '(list 1 "b")',
    '(dict "k" .l)',
    '(until 3)',
    '(semver "1.2.3-a")',
    '(toDate "2006" "2024")',
    '(split "," "a,b")',
    '(b64dec "/w==")',
  ),
  fc.constantFrom(
    '"2006-01-02 MST"',
    '"%[2]*.3v%d"',
    '"(a)|b*?"',
    '"$1"',
    '">=1 <2"',
    '"http://a:b@[::1]:80/?#"',
    '"{\\"a\\":[1]}"',
    '"\\xff"',
  ),
  fc.string({ maxLength: 6 }).map((text) => JSON.stringify(text)),
)

const { call } = fc.letrec<{ call: string; argument: string }>((tie) => ({
  call: fc
    .tuple(fc.constantFrom(...NAMES), fc.array(tie('argument'), { maxLength: 5 }), fc.boolean())
    .map(([name, values, piped]) =>
      piped && values.length > 0 ? `${values.at(-1)} | ${name} ${values.slice(0, -1).join(' ')}` : `${name} ${values.join(' ')}`,
    ),
  argument: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    literal,
    tie('call').map((text) => `(${text})`),
  ),
}))

test('no call of a function throws anything else', () => {
  fc.assert(
    fc.property(call, (text) => isDocumented(`\${ ${text} }`)),
    { numRuns: 3_000 },
  )
})

test('rendering is a function of template and data', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      const template = compileTemplate('${ . } ${ range $k, $v := . }${ $k }=${ toJson $v };${ end }', { delimiters: ['${', '}'] })
      const shuffled = Object.fromEntries(Object.entries(data).toReversed())
      expect(template.render(shuffled)).toBe(template.render(data))
    }),
  )
})
