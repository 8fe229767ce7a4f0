import { describe, expect, test } from 'vitest'
import { TemplateLimitError } from './errors.ts'
import { compileTemplate, type TemplateOptions } from './template.ts'

const BIG = 'a'.repeat(2 ** 19)

function attempt(text: string, data: unknown = {}, options: TemplateOptions = {}): unknown {
  try {
    return compileTemplate(text, { delimiters: ['${', '}'], ...options }).render(data)
  } catch (error) {
    return error
  }
}

test.each<[limit: string, limits: NonNullable<TemplateOptions['limits']>, good: string, bad: string]>([
  ['templateLength', { templateLength: 10 }, '0123456789', '0123456789a'],
  ['steps', { steps: 200 }, '${ range 50 }${ end }', '${ range 200 }${ end }'],
  ['depth', { depth: 10 }, '${ (((1))) }', '${ (((((((((((1))))))))))) }'],
  ['outputLength', { outputLength: 10 }, '${ "0123456789" }', '0123456${ 7890 }'],
  ['created', { created: 100 }, '${ repeat 50 "x" }', '${ repeat 101 "x" }'],
  ['patternLength', { patternLength: 5 }, '${ regexMatch "aaaaa" "" }', '${ regexMatch "aaaaaa" "" }'],
  ['regexInput', { regexInput: 5 }, '${ regexMatch "a" "aaaaa" }', '${ regexMatch "a" "aaaaaa" }'],
])('%s is limited', (_, limits, good, bad) => {
  expect(attempt(good, {}, { limits })).toBeTypeOf('string')
  expect(attempt(bad, {}, { limits })).toBeInstanceOf(TemplateLimitError)
})

describe('ends soon:', () => {
  test.each([
    ['long loops', '${ range until 1000000000 }x${ end }'],
    ['loops over numbers', '${ range 1000000000 }${ end }'],
    ['sequences', '${ seq 0 9223372036854775807 }'],
    ['texts that double', '${ $s := "x" }${ range until 100 }${ $s = printf "%s%s" $s $s }${ end }'],
    ['texts that grow by replacing', '${ $s := "x" }${ range until 100 }${ $s = replace "x" "xxxxxxxxxx" $s }${ end }'],
    ['lists that double', '${ $l := list 1 }${ range until 60 }${ $l = concat $l $l }${ end }'],
    ['shared lists, printed', '${ $l := list 1 }${ range until 60 }${ $l = list $l $l }${ end }${ $l }'],
    ['shared lists, compared', '${ $l := list 1 }${ range until 60 }${ $l = list $l $l }${ end }${ deepEqual $l (deepCopy $l) }'],
    ['nested lists', '${ $l := list }${ range until 60000 }${ $l = list $l }${ end }${ toJson $l }'],
    ['a dict in itself, printed', '${ $d := dict }${ $_ := set $d "d" $d }${ $d }'],
    ['a dict in itself, as JSON', '${ $d := dict }${ $_ := set $d "d" $d }${ toJson $d }'],
    ['a dict in itself, copied', '${ $d := dict }${ $_ := set $d "d" $d }${ deepCopy $d }'],
    ['dicts in themselves, merged', '${ $d := dict }${ $_ := set $d "d" $d }${ $e := dict }${ $_ := set $e "d" $e }${ merge $d $e }'],
    ['recursion', '${ define "r" }${ template "r" . }${ end }${ template "r" . }'],
    ['repetition', '${ repeat 9223372036854775807 "x" }'],
    ['indentation', '${ indent 1000000000 "x" }'],
    ['wide numbers', '${ range until 1000 }${ $x := printf "%1000000d" 1 }${ end }'],
    ['unique elements of long lists', '${ uniq (until 100000) }'],
    ['parentheses', `\${ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }`],
    ['blocks', '${ if 1 }'.repeat(100_000)],
    ['chains of conditions', `\${ if 1 }${'${ else if 1 }'.repeat(100_000)}\${ end }`],
    ['large expressions', '${ regexMatch (repeat 20 "a{900}") "" }'],
    ['long texts, replaced by themselves', '${ replace "" .big .big }'],
    ['long texts, looked through often', '${ range until 100000 }${ $x := contains "x" $.big }${ end }'],
    ['deep JSON', '${ fromJson .json }'],
    ['many derived passwords', '${ range until 1000 }${ $x := derivePassword 1 "pin" "a" "b" "c" }${ end }'],
    ['many arguments', `\${ print ${'1 '.repeat(200_000)}}`],
  ])('%s', (_, text) => {
    const json = '['.repeat(5_000) + ']'.repeat(5_000)
    expect(attempt(text, { big: BIG, json }, { limits: { steps: 300_000 } })).toBeInstanceOf(TemplateLimitError)
  })

  test.each([
    ['repetitions in repetitions', '${ regexMatch "(a*)*b" .big }', 'false'],
    ['alternatives in repetitions', '${ regexMatch "^(a|a|aa)+$" (trunc 100000 .big) }', 'true'],
    ['cleaned paths', '${ clean (repeat 20000 "../") | len }', '59999'],
    ['dates with long layouts', '${ toDate .months .months }', '0000-01-01 00:00:00 +0000 UTC'],
    ['very long numbers', '${ atoi (repeat 100000 "7") }', '9223372036854775807'],
  ])('%s', (_, text, expected) => {
    expect(attempt(text, { big: BIG, months: 'Jan '.repeat(10_000) })).toBe(expected)
  })
})

test('data counts too', () => {
  const data = { list: Array.from({ length: 1_000 }, () => 1) }
  expect(attempt('x', data, { limits: { steps: 500 } })).toBeInstanceOf(TemplateLimitError)
  let deep: unknown = 1
  for (let level = 0; level < 300; level++) deep = [deep]
  expect(attempt('x', { deep })).toBeInstanceOf(TemplateLimitError)
})
