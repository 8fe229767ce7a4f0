// Go's literals: texts in quotes and characters.
import { joinBytes } from '../values/bytes.ts'

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}
const ESCAPE = /\\(?:x([\da-fA-F]{2})|([0-7]{3})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gsu
const WELL_FORMED = /^(?:[^\\]|\\(?:x[\da-fA-F]{2}|[0-7]{3}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[abfnrtv\\"']))*$/u

/** The text of a literal in double quotes or backquotes; undefined if it is malformed. */
export function unquote(literal: string): string | undefined {
  const inner = literal.slice(1, -1)
  if (literal.startsWith('`')) return inner.replaceAll('\r', '')
  return inner.includes('\\') ? decodeEscapes(inner, '"') : inner
}

/** The code of a character literal such as `'x'`; undefined if it is malformed. */
export function unquoteCharacter(literal: string): number | undefined {
  const text = decodeEscapes(literal.slice(1, -1), "'")
  if (text === undefined || [...text].length !== 1) return undefined
  const code = text.codePointAt(0) ?? 0
  return code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code
}

function decodeEscapes(inner: string, delimiter: '"' | "'"): string | undefined {
  if (!WELL_FORMED.test(inner)) return undefined
  let valid = true
  const text = inner.replace(ESCAPE, (_, hex?: string, octal?: string, short?: string, long?: string, letter = '') => {
    const byte = hex === undefined ? (octal === undefined ? undefined : Number.parseInt(octal, 8)) : Number.parseInt(hex, 16)
    if (byte !== undefined) {
      if (byte > 0xff) valid = false
      return byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + (byte & 0xff))
    }
    const digits = short ?? long
    if (digits === undefined) {
      if (letter === '"' || letter === "'") valid &&= letter === delimiter
      return SIMPLE[letter] ?? letter
    }
    const code = Number.parseInt(digits, 16)
    if (code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)) return String.fromCodePoint(code)
    valid = false
    return ''
  })
  if (!valid) return undefined
  // two bytes of a text may be one character; a character literal is one byte or one character as it stands
  return delimiter === '"' ? joinBytes(text) : text
}
