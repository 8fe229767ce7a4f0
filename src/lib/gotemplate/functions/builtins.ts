// The functions of Go's text/template itself, apart from comparisons.
import { fail } from '../errors.ts'
import { printAll } from '../format/print.ts'
import { sprintf } from '../format/printf.ts'
import { isPrintable } from '../format/quote.ts'
import { byteLength, toBytes } from '../values/bytes.ts'
import { isTrue } from '../values/truth.ts'
import { byte, type GoFunction, GoList, GoMap, integerOf, type Run, typeName, type Value } from '../values/value.ts'
import { define, defineWith, type FunctionTable } from './define.ts'
import { escapeQuery } from './url-escape.ts'

const HTML: Readonly<Record<string, string>> = { '\0': '\ufffd', '"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;' }
const JS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

/** and, or, not, call, index, len, print, printf, println, html, js, urlquery. */
export const BUILTINS: FunctionTable = {
  and: { ...define(['value', '...value'], (first) => first), stopsAt: false },
  or: { ...define(['value', '...value'], (first) => first), stopsAt: true },
  not: define(['value'], (value) => !isTrue(value)),
  call: define(['value', '...value'], (called) =>
    called === null ? fail('call of nil') : fail(`non-function of type ${typeName(called)}`),
  ),
  index: define(['value', '...value'], (item, ...indexes) => indexed(item, indexes)),
  len: define(['value'], length),
  print: defineWith(['...any'], (run, ...values) => printAll(values, run.meter)),
  println: defineWith(['...any'], (run, ...values) => `${values.map((value) => printAll([value], run.meter)).join(' ')}\n`),
  printf: defineWith(['string', '...any'], (run, format, ...values) => sprintf(format, values, run.meter)),
  html: escaper((text) => text.replace(/[\0"'&<>]/g, (character) => HTML[character] ?? character)),
  js: escaper((text) => [...text].map(escapeJs).join('')),
  urlquery: escaper(escapeQuery),
}

function escaper(change: (text: string) => string): GoFunction {
  return defineWith(['...any'], (run, ...values) => change(argumentsText(values, run)))
}

/** What the template would print for the values. */
function argumentsText(values: readonly Value[], run: Run): string {
  return printAll(
    values.map((value) => (value === null ? '<no value>' : value)),
    run.meter,
  )
}

function escapeJs(character: string): string {
  const known = JS[character]
  if (known) return known
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return `\\u00${hex(code, 2)}`
  const loneByte = code >= 0xdc80 && code <= 0xdcff
  return code < 0x80 || loneByte || isPrintable(character) ? character : `\\u${hex(code, 4)}`
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0')
}

function indexed(start: Value, indexes: readonly Value[]): Value {
  if (start === null) fail('index of untyped nil')
  let item: Value = start
  for (const index of indexes) {
    if (item === null || item === undefined) fail('index of nil pointer')
    item = element(item, index)
  }
  return item
}

function element(item: Value, index: Value): Value {
  if (item instanceof GoMap) {
    if (index === null) fail('value is nil; should be of type string')
    if (typeof index !== 'string') fail(`value has type ${typeName(index)}; should be string`)
    return item.entries.has(index) ? item.entries.get(index) : zeroOf(item.elementType)
  }
  if (item instanceof GoList) return item.items[position(index, item.items.length)]
  if (typeof item !== 'string') fail(`can't index item of type ${typeName(item)}`)
  return byte(toBytes(item)[position(index, byteLength(item))] ?? 0)
}

function zeroOf(type: string): Value {
  return type === 'string' ? '' : null
}

function position(index: Value, length: number): number {
  if (index === null) fail('cannot index slice/array with nil')
  const integer = integerOf(index)
  if (integer === undefined) fail(`cannot index slice/array with type ${typeName(index)}`)
  if (integer < 0n || integer >= BigInt(length)) fail(`index out of range: ${integer}`)
  return Number(integer)
}

function length(value: Value): bigint {
  if (value === null) fail('len of nil pointer')
  if (typeof value === 'string') return BigInt(byteLength(value))
  if (value instanceof GoList) return BigInt(value.items.length)
  if (value instanceof GoMap) return BigInt(value.entries.size)
  return fail(`len of type ${typeName(value)}`)
}
