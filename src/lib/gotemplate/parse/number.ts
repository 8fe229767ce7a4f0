// Number constants. They have no type until they are used: a constant is everything that can stand for it.
import { unquoteCharacter } from './literal.ts'

/** What a constant can be; an absent field is what it cannot be. */
export interface NumberConstant {
  readonly int?: bigint
  readonly uint?: bigint
  readonly float?: number
  readonly complex?: { readonly real: number; readonly imaginary: number }
}

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)
const MAX_UINT = 2n ** 64n - 1n

/** Reads a number, or says what is wrong with it. */
export function parseNumber(text: string, type: 'number' | 'complex' | 'character'): NumberConstant | string {
  if (type === 'character') {
    const code = unquoteCharacter(text)
    if (code === undefined) return `malformed character constant: ${text}`
    return { int: BigInt(code), uint: BigInt(code), float: code }
  }
  if (type === 'complex') return parseComplex(text)
  if (text.endsWith('i')) {
    const imaginary = parseFloatConstant(text.slice(0, -1))
    if (imaginary !== undefined) return simplified({ real: 0, imaginary })
  }
  return parseReal(text)
}

function parseComplex(text: string): NumberConstant | string {
  const at = text.search(/(?<=[^eEpP])[+-](?=[^+-]*i$)/)
  const [real, imaginary] = [parseFloatConstant(text.slice(0, at)), parseFloatConstant(text.slice(at, -1))]
  if (at <= 0 || real === undefined || imaginary === undefined) return `illegal number syntax: ${JSON.stringify(text)}`
  return simplified({ real, imaginary })
}

function simplified(complex: { real: number; imaginary: number }): NumberConstant {
  return complex.imaginary === 0 ? { complex, ...wholeOf(complex.real), float: complex.real } : { complex }
}

function parseReal(text: string): NumberConstant | string {
  const integer = parseInteger(text)
  if (integer !== undefined) {
    const int = integer >= MIN_INT && integer <= MAX_INT ? { int: integer } : {}
    // a sign makes it an int in Go, except for zero
    const uint = (integer >= 0n && integer <= MAX_UINT && !/^[+-]/.test(text)) || integer === 0n ? { uint: integer } : {}
    if ('int' in int || 'uint' in uint) return { ...int, ...uint, float: Number(integer) }
  }
  const float = parseFloatConstant(text)
  if (float === undefined) return `illegal number syntax: ${JSON.stringify(text)}`
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${JSON.stringify(text)}`
  return { ...wholeOf(float), float }
}

function wholeOf(float: number): NumberConstant {
  if (!Number.isInteger(float)) return {}
  const whole = BigInt(float)
  return {
    ...(whole >= MIN_INT && whole <= MAX_INT ? { int: whole } : {}),
    ...(whole >= 0n && whole <= MAX_UINT ? { uint: whole } : {}),
  }
}

const INTEGER = /^[+-]?(?:0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?\d)*)$/

/** An integer as Go's `strconv.ParseInt` reads it with base 0: prefixes, a leading zero for octal, `_` between digits. */
export function parseInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined
  const digits = text.replace(/^[+-]/, '').replaceAll('_', '')
  const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits)
  return text.startsWith('-') ? -value : value
}

const DECIMAL = /^[+-]?(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/
const HEXADECIMAL = /^([+-]?)0[xX]((?:_?[\da-fA-F])*)(?:\.([\da-fA-F]*(?:_[\da-fA-F]+)*))?[pP]([+-]?\d+(?:_\d+)*)$/

/** A float as Go's `strconv.ParseFloat` reads it, also with a hexadecimal mantissa; undefined for what is none or too large. */
export function parseFloatConstant(text: string): number | undefined {
  const float = DECIMAL.test(text) ? Number(text.replaceAll('_', '')) : parseHexadecimalFloat(text)
  return float === undefined || !Number.isFinite(float) ? undefined : float
}

function parseHexadecimalFloat(text: string): number | undefined {
  const match = HEXADECIMAL.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = '', exponent = ''] = match.map((part) => part?.replaceAll('_', ''))
  if (whole + fraction === '' || whole.length + fraction.length > 200) return undefined
  const size = Number(BigInt(`0x${whole + fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -size : size
}
