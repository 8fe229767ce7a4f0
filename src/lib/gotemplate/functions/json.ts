// JSON, written and read as Go's encoding/json does.

import { goString, parseGoJson } from '../../json/go-json.ts'
import { FunctionError, fail } from '../errors.ts'
import { hasLoneBytes, joinBytes, withoutBytes } from '../values/bytes.ts'
import { sortedKeys, toValue } from '../values/convert.ts'
import { GoComplex, GoInt, GoList, type GoMap, GoObject, type Run, type Value } from '../values/value.ts'
import { defineWith, type FunctionTable } from './define.ts'

interface Style {
  readonly indent: string
  readonly escapesHtml: boolean
}

const PLAIN: Style = { indent: '', escapesHtml: true }
const PRETTY: Style = { indent: '  ', escapesHtml: true }
const RAW: Style = { indent: '', escapesHtml: false }
const LONE_BYTE = /[\udc80-\udcff]/u

/** Functions that read and write JSON. */
export const JSON_FUNCTIONS: FunctionTable = {
  toJson: defineWith(['any'], (run, value) => orEmpty(() => encode(value, PLAIN, run, 0))),
  mustToJson: defineWith(['any'], (run, value) => encode(value, PLAIN, run, 0)),
  toPrettyJson: defineWith(['any'], (run, value) => orEmpty(() => encode(value, PRETTY, run, 0))),
  mustToPrettyJson: defineWith(['any'], (run, value) => encode(value, PRETTY, run, 0)),
  toRawJson: defineWith(['any'], (run, value) => encode(value, RAW, run, 0)),
  mustToRawJson: defineWith(['any'], (run, value) => encode(value, RAW, run, 0)),
  fromJson: defineWith(['string'], (run, text) => decode(text, run) ?? null),
  mustFromJson: defineWith(['string'], (run, text) => {
    const value = decode(text, run)
    return value === undefined ? fail('invalid JSON') : value
  }),
}

/** Undefined: no JSON. The message of the parser is not kept: it quotes the text. */
function decode(text: string, run: Run): Value {
  run.meter.create(text.length)
  let value: unknown
  try {
    value = parseGoJson(withoutBytes(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return toValue(value, run.meter)
}

function orEmpty(step: () => string): string {
  try {
    return step()
  } catch (error) {
    if (error instanceof Unsupported) return ''
    throw error
  }
}

/** A value that JSON cannot say. */
class Unsupported extends FunctionError {}

function encode(value: Value, style: Style, run: Run, level: number): string {
  run.meter.step()
  switch (typeof value) {
    case 'string':
      return encodeText(value, style, run)
    case 'number':
      return encodeNumber(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return value === undefined || value === null ? 'null' : encodeObject(value, style, run, level)
  }
}

function encodeText(text: string, style: Style, { meter }: Run): string {
  meter.create(text.length)
  const whole = joinBytes(text)
  if (!hasLoneBytes(whole)) return quoted(whole, style)
  const parts = whole.split(LONE_BYTE).map((part) => quoted(part, style).slice(1, -1))
  return `"${parts.join('\\ufffd')}"`
}

function quoted(text: string, { escapesHtml }: Style): string {
  if (escapesHtml) return goString(text)
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Unsupported('json: unsupported value')
  return Object.is(value, -0) ? '-0' : String(value)
}

function encodeObject(value: GoInt | GoComplex | GoList | GoMap | GoObject, style: Style, run: Run, level: number): string {
  if (value instanceof GoComplex) throw new Unsupported('json: unsupported value')
  if (value instanceof GoInt) return String(value.value)
  if (value instanceof GoObject) return encode(value.json(), style, run, level)
  run.meter.deep(level)
  if (value.isNil) return 'null'
  if (value instanceof GoList) {
    return enclosed(
      '[',
      value.items.map((item) => encode(item, style, run, level + 1)),
      ']',
      style,
      run,
      level,
    )
  }
  const colon = style.indent === '' ? ':' : ': '
  const entries = sortedKeys(value).map((key) => {
    return `${encodeText(key, style, run)}${colon}${encode(value.entries.get(key), style, run, level + 1)}`
  })
  return enclosed('{', entries, '}', style, run, level)
}

function enclosed(open: string, parts: readonly string[], close: string, { indent }: Style, { meter }: Run, level: number): string {
  if (indent === '' || parts.length === 0) return open + parts.join(',') + close
  const inner = `\n${indent.repeat(level + 1)}`
  meter.create(inner.length * parts.length)
  return `${open}${inner}${parts.join(`,${inner}`)}\n${indent.repeat(level)}${close}`
}
