// Writes YAML byte for byte as Go Fleet does (sigs.k8s.io/yaml): templates of values are rendered over this text, so quoting and order are part of the contract.
import { YamlError } from './error.ts'
import { formatFloat } from './float.ts'
import { compareKeys } from './key-order.ts'
import { formOf, isBreak, needsEscape } from './scalar-style.ts'

export interface StringifyOptions {
  /** for people and files instead of templates: keeps every character, where Go folds U+0085 and puts blanks after U+2028 */
  readonly lossless?: boolean
}

interface Writer {
  readonly lossless: boolean
  readonly out: string[]
  column: number
  /** the last thing written was blank */
  blank: boolean
  /** only indentation and indicators stand on the line */
  indentation: boolean
}

const WIDTH = 80
const MAX_DEPTH = 500
const MIN_INT64 = -(2n ** 63n)
const MAX_UINT64 = 2n ** 64n - 1n
const ESCAPES: Readonly<Record<number, string>> = {
  0: '0',
  7: 'a',
  8: 'b',
  9: 't',
  10: 'n',
  11: 'v',
  12: 'f',
  13: 'r',
  27: 'e',
  34: '"',
  92: '\\',
  133: 'N',
  160: '_',
  8232: 'L',
  8233: 'P',
}

/**
 * YAML text of a JSON value: keys in Go's order, lists as deep as their key, long lines folded at 80. `undefined` in a map is left out.
 * @throws YamlError for control characters (unless lossless), values that are no JSON and nesting beyond 500 levels
 */
export function stringifyYaml(value: unknown, options: StringifyOptions = {}): string {
  const writer: Writer = { lossless: options.lossless ?? false, out: [], column: 0, blank: true, indentation: true }
  node(writer, value, -1, false, 0)
  writeIndent(writer, 0)
  return writer.out.join('')
}

/** `indent` is that of the collection around, -1 at the top. */
function node(writer: Writer, value: unknown, indent: number, inMap: boolean, depth: number): void {
  if (depth > MAX_DEPTH) throw new YamlError(`nested deeper than ${MAX_DEPTH} levels`)
  if (Array.isArray(value)) list(writer, value, indent, inMap, depth)
  else if (typeof value === 'string') text(writer, value, indent, true)
  else if (value !== null && typeof value === 'object') map(writer, value as Record<string, unknown>, indent, depth)
  else word(writer, wordOf(value))
}

function wordOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return numberText(value)
  throw new YamlError(`a ${typeof value} cannot be written as YAML`)
}

function list(writer: Writer, items: readonly unknown[], indent: number, inMap: boolean, depth: number): void {
  if (items.length === 0) word(writer, '[]')
  const own = indent < 0 ? 0 : inMap && !writer.indentation ? indent : indent + 2
  for (const item of items) {
    writeIndent(writer, own)
    indicator(writer, '-', true, true)
    node(writer, item, own, false, depth + 1)
  }
}

function map(writer: Writer, entries: Readonly<Record<string, unknown>>, indent: number, depth: number): void {
  const keys = Object.keys(entries)
    .filter((key) => entries[key] !== undefined)
    .sort(compareKeys)
  if (keys.length === 0) word(writer, '{}')
  const own = indent < 0 ? 0 : indent + 2
  for (const key of keys) {
    writeIndent(writer, own)
    writeKey(writer, key, own)
    node(writer, entries[key], own, true, depth + 1)
  }
}

function writeKey(writer: Writer, key: string, indent: number): void {
  const readable = asRead(key, writer.lossless)
  const isSimple = Buffer.byteLength(readable) <= 128 && !formOf(readable, [...readable], writer.lossless).multiline
  if (isSimple) {
    text(writer, key, indent, false)
    indicator(writer, ':', false, false)
    return
  }
  indicator(writer, '?', true, true)
  text(writer, key, indent, true)
  writeIndent(writer, indent)
  indicator(writer, ':', true, true)
}

function text(writer: Writer, value: string, indent: number, mayFold: boolean): void {
  const readable = asRead(value, writer.lossless)
  const chars = [...readable]
  const own = indent < 0 ? 2 : indent + 2
  const { style } = formOf(readable, chars, writer.lossless)
  if (style === 'literal') literal(writer, chars, own)
  else if (style === 'double') doubleQuoted(writer, chars, own, mayFold)
  else if (style === 'single') singleQuoted(writer, chars, own, mayFold)
  else plain(writer, chars, own, mayFold)
}

function plain(writer: Writer, chars: readonly string[], indent: number, mayFold: boolean): void {
  if (!writer.blank) put(writer, ' ')
  flowing(writer, chars, indent, mayFold, false)
}

function singleQuoted(writer: Writer, chars: readonly string[], indent: number, mayFold: boolean): void {
  indicator(writer, "'", true, false)
  flowing(writer, chars, indent, mayFold, true)
  indicator(writer, "'", false, false)
}

/** The text as Go's reader sees it on its way through JSON: U+0085 folds like a line break within quotes. */
function asRead(value: string, lossless: boolean): string {
  const wellFormed = value.toWellFormed()
  if (lossless) return wellFormed
  const refused = /[\u007f\u0080-\u0084\u0086-\u009f\ufffe\uffff]/.exec(wellFormed)
  if (refused)
    throw new YamlError(
      `the control character U+${refused[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')} cannot be written as YAML`,
    )
  return wellFormed.replace(/ *\u0085[ \u0085]*/g, (run) => {
    const breaks = run.split('\u0085').length - 1
    return breaks === 1 ? ' ' : '\n'.repeat(breaks - 1)
  })
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new YamlError('infinite numbers and NaN are no JSON')
  if (value === 0) return '0'
  if (!Number.isInteger(value) || Math.abs(value) >= 1e21) return formatFloat(value, 64)
  const digits = BigInt(String(value))
  return digits >= MIN_INT64 && digits <= MAX_UINT64 ? String(value) : formatFloat(value, 64)
}

/** Plain and single quoted text: folded at blanks beyond the width. */
function flowing(writer: Writer, chars: readonly string[], indent: number, mayFold: boolean, quoted: boolean): void {
  let [afterSpace, afterBreak] = [false, false]
  for (const [at, char] of chars.entries()) {
    if (char === ' ') {
      const inside = !quoted || (at > 0 && at < chars.length - 1)
      if (mayFold && !afterSpace && writer.column > WIDTH && inside && chars[at + 1] !== ' ') writeIndent(writer, indent)
      else put(writer, char)
      afterSpace = true
      continue
    }
    if (isBreak(char)) {
      writer.out.push(char)
      writer.column = 0
      writer.indentation = true
      afterBreak = true
      continue
    }
    if (afterBreak) writeIndent(writer, indent)
    put(writer, quoted && char === "'" ? "''" : char)
    writer.indentation = false
    ;[afterSpace, afterBreak] = [false, false]
  }
  writer.blank = false
  writer.indentation = false
}

function doubleQuoted(writer: Writer, chars: readonly string[], indent: number, mayFold: boolean): void {
  indicator(writer, '"', true, false)
  // a leading byte order mark makes Go escape every character
  const escapeAll = chars[0] === '\ufeff'
  let afterSpace = false
  for (const [at, char] of chars.entries()) {
    if (escapeAll || needsEscape(char) || isBreak(char) || char === '"' || char === '\\') {
      put(writer, escapeOf(char))
      afterSpace = false
    } else if (char === ' ' && mayFold && !afterSpace && writer.column > WIDTH && at > 0 && at < chars.length - 1) {
      writeIndent(writer, indent)
      if (chars[at + 1] === ' ') put(writer, '\\')
      afterSpace = true
    } else {
      put(writer, char)
      afterSpace = char === ' '
    }
  }
  indicator(writer, '"', false, false)
}

function escapeOf(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const short = ESCAPES[code]
  if (short) return `\\${short}`
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

function literal(writer: Writer, chars: readonly string[], indent: number): void {
  indicator(writer, '|', true, false)
  if (chars[0] === ' ' || isBreak(chars[0])) indicator(writer, '2', false, false)
  if (!isBreak(chars.at(-1))) indicator(writer, '-', false, false)
  else if (chars.length === 1 || isBreak(chars.at(-2))) indicator(writer, '+', false, false)
  lineBreak(writer, '\n')
  writer.blank = true
  let afterBreak = true
  for (const char of chars) {
    if (isBreak(char)) {
      lineBreak(writer, char)
      afterBreak = true
      continue
    }
    if (afterBreak) writeIndent(writer, indent)
    put(writer, char)
    writer.indentation = false
    afterBreak = false
  }
}

function lineBreak(writer: Writer, char: string): void {
  writer.out.push(char)
  writer.column = 0
  writer.indentation = true
}

/** A number, boolean, null or empty collection. */
function word(writer: Writer, token: string): void {
  indicator(writer, token, true, false)
}

function indicator(writer: Writer, token: string, needsBlank: boolean, isIndentation: boolean): void {
  if (needsBlank && !writer.blank) put(writer, ' ')
  put(writer, token)
  writer.blank = false
  writer.indentation &&= isIndentation
}

/** Goes to the column of `indent`, on the same line where only indentation stands before it. */
function writeIndent(writer: Writer, indent: number): void {
  if (!writer.indentation || writer.column > indent || (writer.column === indent && !writer.blank)) lineBreak(writer, '\n')
  while (writer.column < indent) put(writer, ' ')
  writer.blank = true
  writer.indentation = true
}

/** `text` has no line breaks; a column is a code point. */
function put(writer: Writer, token: string): void {
  writer.out.push(token)
  writer.column += token.length === 1 ? 1 : [...token].length
}
