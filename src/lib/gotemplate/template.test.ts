import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { TemplateExecError, TemplateSyntaxError } from './errors.ts'
import { define } from './functions/define.ts'
import { compileTemplate, type TemplateOptions } from './template.ts'

const DOLLAR: TemplateOptions = { name: 'values', delimiters: ['${', '}'] }

interface Input {
  readonly template: string
  readonly data: unknown
}

/** Bytes that look random enough for what the vectors ask of them. */
function randomness(): (count: number) => Uint8Array {
  let state = 1
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
      return state >> 16
    })
}

checkVectors('templates.json', ({ template, data }: Input) =>
  compileTemplate(template, { ...DOLLAR, random: randomness(), now: () => Date.UTC(2024, 0, 1), limits: { steps: 5_000_000 } }).render(
    data,
  ),
)

function failure(text: string, data: unknown = {}, options = DOLLAR): unknown {
  try {
    return compileTemplate(text, options).render(data)
  } catch (error) {
    return error
  }
}

describe('delimiters', () => {
  test.each([
    [['${', '}'], 'a ${- .x -} b }', 'a1b }'],
    [['{{', '}}'], '{{ .x }} ${ .x }', '1 ${ .x }'],
    [['<%', '%>'], '<%/* c */%><%.x%>', '1'],
    [['[', ']'], '[print "]"][.x]', ']1'],
  ] as const)('%j', (delimiters, text, expected) => {
    expect(compileTemplate(text, { delimiters }).render({ x: 1 })).toBe(expected)
  })

  test('are those of Go unless given', () => {
    expect(compileTemplate('{{ .x }}').render({ x: 'y' })).toBe('y')
  })
})

test('a template is parsed once and rendered many times', () => {
  const template = compileTemplate('${ $n := .n }${ range .l }${ $n = add $n . }${ end }${ $n }', DOLLAR)
  expect([template.render({ n: 1, l: [1, 2] }), template.render({ n: 0, l: [] }), template.render({ n: 5, l: [5] })]).toEqual([
    '4',
    '0',
    '10',
  ])
})

test('data is not changed by templates', () => {
  const data = { map: { a: 1 }, list: ['b', 'a'] }
  const text = '${ $_ := set .map "b" 2 }${ $_ := unset .map "a" }${ sortAlpha .list }${ .map }'
  expect(compileTemplate(text, DOLLAR).render(data)).toBe('[a b]map[b:2]')
  expect(data).toEqual({ map: { a: 1 }, list: ['b', 'a'] })
})

test('names of JavaScript mean nothing', () => {
  const data = JSON.parse('{"__proto__": {"x": 1}, "constructor": "c"}')
  expect(compileTemplate('${ .__proto__.x } ${ .constructor } ${ hasKey . "toString" } ${ . }', DOLLAR).render(data)).toBe(
    '1 c false map[__proto__:map[x:1] constructor:c]',
  )
  expect(failure('${ .toString }')).toBeInstanceOf(TemplateExecError)
  expect(failure('${ toString.call }')).toBeInstanceOf(TemplateExecError)
  expect(failure('${ hasOwnProperty "x" }')).toBeInstanceOf(TemplateSyntaxError)
})

describe('missing keys', () => {
  test('are errors that name the key and its place', () => {
    expect(failure('a\nb: ${ .x.nope }', { x: {} })).toMatchObject({
      name: 'TemplateExecError',
      line: 2,
      column: 8,
      message: 'template: values:2:8: executing "values" at <.x.nope>: map has no entry for key "nope"',
    })
  })

  test('print as no value where that is allowed', () => {
    expect(compileTemplate('${ .x.nope }|${ .x.nope.deeper }', { ...DOLLAR, missingKey: 'default' }).render({ x: {} })).toBe(
      '<no value>|<no value>',
    )
  })
})

test.each([
  ['a\n ${ if }', 2, 7, 'template: values:2:7: missing value for if'],
  ['${ nope }', 1, 3, 'template: values:1:3: function "nope" not defined'],
  ['${ if .x }', 1, 10, 'template: values:1:10: unexpected EOF'],
  ['${ $x }', 1, 3, 'template: values:1:3: undefined variable "$x"'],
  ['${ .a\n', 2, 0, 'template: values:2:0: unclosed action that started in line 1'],
  ['${ .a\n\n!', 3, 0, 'template: values:3:0: unexpected "!" in operand'],
  ['${ "a', 1, 3, 'template: values:1:3: unterminated quoted string'],
  ['${ end }', 1, 7, 'template: values:1:7: unexpected {{end}}'],
])('%j is no template', (text, line, column, message) => {
  const error = failure(text)
  expect(error).toBeInstanceOf(TemplateSyntaxError)
  expect(error).toMatchObject({ line, column, message })
})

test.each([
  ['${ upper .n }', 'at <.n>: wrong type for value; expected string; got float64'],
  ['${ trunc 1 }', 'at <trunc>: wrong number of args for trunc: want 2 got 1'],
  ['${ printf }', 'at <printf>: wrong number of args for printf: want at least 1 got 0'],
  ['${ fail "no luck" }', 'at <fail "no luck">: error calling fail: no luck'],
  ['${ eq .n 1 }', 'at <eq .n 1>: error calling eq: incompatible types for comparison: float64 and int'],
  ['${ .n.x }', `at <.n.x>: can't evaluate field x in type interface {}`],
  ['${ template "t" }', 'at <template "t">: template "t" not defined'],
  ['${ define "t" }${ .x }${ end }${ template "t" . }', 'executing "t" at <.x>: map has no entry for key "x"'],
])('%s fails as in Go', (text, message) => {
  const error = failure(text, { n: 1 })
  expect(error).toBeInstanceOf(TemplateExecError)
  expect((error as Error).message).toContain(message)
})

test('errors do not quote the data', () => {
  const secret = { word: 'hunter2', list: ['hunter2'], url: 'http://u:hunter2@%', json: '{"a":"hunter2"' }
  const texts = [
    '${ range .word }${ end }',
    '${ eq .list .list }',
    '${ lt .word 1 }',
    '${ .word.x }',
    '${ index .list .word }',
    '${ urlParse .url }',
    '${ mustFromJson .json }',
    '${ mustToDate "2006" .word }',
    '${ mustDateModify .word (toDate "2006" "2024") }',
    '${ semver .word }',
    '${ decryptAES "k" .word }',
    '${ genCAWithKey "a" 1 .word }',
    '${ dig "word" "x" 0 . }',
  ]
  for (const text of texts) {
    const error = failure(text, secret, { ...DOLLAR, random: (count) => new Uint8Array(count), now: () => 0 })
    expect(error, text).toBeInstanceOf(TemplateExecError)
    expect((error as Error).message, text).not.toContain('hunter2')
  }
})

test('long texts are cut short in messages', () => {
  expect((failure(`\${ .a${'.b'.repeat(5_000)} }`, { a: 1 }) as Error).message.length).toBeLessThan(500)
  expect((failure(`\${ ${'9'.repeat(5_000)} }`) as Error).message.length).toBeLessThan(500)
})

test('own functions stand beside the others, or replace them', () => {
  const functions = { upper: define(['string'], (text) => `<${text}>`), twice: define(['int'], (number) => number * 2n) }
  expect(compileTemplate('${ upper "a" } ${ lower "B" } ${ twice 4 }', { ...DOLLAR, functions }).render({})).toBe('<a> b 8')
})

describe('functions that give something else each time', () => {
  const impure = [
    ...['randAlpha 3', 'randAlphaNum 3', 'randAscii 3', 'randNumeric 3', 'randBytes 3', 'randInt 1 9', 'shuffle "ab"', 'uuidv4', 'now'],
    ...['ago 0', 'date "2006" "x"', 'durationRound (toDate "2006" "2024")', 'bcrypt "x"', 'htpasswd "u" "p"', 'encryptAES "k" "x"'],
    ...['genPrivateKey "ed25519"', 'genCA "a" 1', 'genSelfSignedCert "a" nil nil 1'],
  ]

  test.each(impure)('%s is not available by itself', (expression) => {
    const error = failure(`\${ ${expression} }`)
    expect(error).toBeInstanceOf(TemplateExecError)
    expect((error as Error).message).toMatch(/ is not available: it would give another result on every run$/)
  })

  test.each([
    'env "HOME"',
    'expandenv "$HOME"',
    'getHostByName "localhost"',
    'include "x" .',
    'tpl "x" .',
    'lookup "v1" "Pod" "" ""',
    'toYaml .',
  ])('%s is not known', (expression) => {
    expect(failure(`\${ ${expression} }`)).toBeInstanceOf(TemplateSyntaxError)
  })

  test('work with a clock and randomness', () => {
    const options = { ...DOLLAR, random: randomness(), now: () => Date.UTC(2024, 1, 29, 12) }
    const render = (text: string) => compileTemplate(text, options).render({})
    expect(render('${ now } ${ now | date "Mon" } ${ ago (toDate "2006-01-02" "2024-02-29") }')).toBe(
      '2024-02-29 12:00:00 +0000 UTC Thu 12h0m0s',
    )
    expect(render('${ date "2006" "x" } ${ durationRound (toDate "2006-01-02" "2024-01-01") }')).toBe('2024 1mo')
    expect(render('${ randAlpha 30 }')).toMatch(/^[a-zA-Z]{30}$/)
    expect(render('${ randAscii 30 }')).toMatch(/^[ -~]{30}$/)
    expect(render('${ randNumeric 30 }${ randInt 3 4 }')).toMatch(/^\d{30}3$/)
    expect(render('${ shuffle "abc" | splitList "" | sortAlpha | join "" }')).toBe('abc')
    expect(render('${ uuidv4 }')).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })
})

test('bytes that are no character leave the template as U+FFFD, put together they are characters again', () => {
  const render = (text: string) => compileTemplate(text, DOLLAR).render({ s: 'é☃' })
  expect(render('${ trunc 1 .s }')).toBe('\ufffd')
  expect(render('${ trunc 1 .s }${ substr 1 2 .s }')).toBe('é')
  expect(render('${ $a := trunc 3 .s }${ len $a } ${ $a | b64enc } ${ quote $a } ${ toJson $a }')).toBe('3 w6ni "é\\xe2" "é\\ufffd"')
})
