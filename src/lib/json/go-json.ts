// JSON exactly as Go's encoding/json reads it into plain values and writes it: hashes are taken over these texts.
import { compareUtf8 } from './utf8.ts'

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

// most texts are short words: a test is cheaper than writing them
const PLAIN = /^[\w ./:@-]*$/
const NEEDS_HTML_ESCAPE = /[<>&\u2028\u2029]/
const HTML = /[<>&\u2028\u2029]/g

/**
 * Parses JSON as Go does into `any`: numbers are 64-bit floats, the last of two equal keys wins, half of a surrogate pair becomes U+FFFD.
 * Throws on invalid JSON and on numbers that fit no float.
 */
export function parseGoJson(text: string): unknown {
  return normal(JSON.parse(text))
}

function normal(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new SyntaxError('a number does not fit 64 bits')
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.toWellFormed(), normal(entry)]))
}

/** Writes a plain value as Go's `json.Encoder`: keys in the order of their UTF-8 bytes, HTML escaped, with a newline at the end. */
export function encodeGoJson(value: unknown): string {
  return `${marshalGoJson(value)}\n`
}

/** The same as Go's `json.Marshal`: without the newline; bigint is an integer. Undefined entries of objects are left out. Throws on what JSON cannot say. */
export function marshalGoJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return goString(value)
    case 'number':
      return goNumber(value)
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? `[${value.map(marshalGoJson).join(',')}]` : goMap(value)
    default:
      throw new TypeError(`a ${typeof value} cannot be written as JSON`)
  }
}

function goMap(value: object): string {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  entries.sort(([a], [b]) => compareUtf8(a, b))
  return `{${entries.map(([key, entry]) => `${goString(key)}:${marshalGoJson(entry)}`).join(',')}}`
}

/** A text with quotes, HTML escaped. */
export function goString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  const json = JSON.stringify(text.toWellFormed())
  return NEEDS_HTML_ESCAPE.test(json) ? json.replace(HTML, (character) => HTML_ESCAPES[character] ?? character) : json
}

/** A 64-bit float: the shortest digits, as JavaScript writes them too, but with a sign before negative zero. */
function goNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be written as JSON`)
  return Object.is(value, -0) ? '-0' : String(value)
}
