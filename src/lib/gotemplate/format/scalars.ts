// Booleans, numbers and texts under the verbs of printf. Undefined: the type does not know the verb.
import { toBytes } from '../values/bytes.ts'
import { type Flags, pad, padBlank } from './flags.ts'
import { type FloatFormat, formatFloat } from './float.ts'
import { canBackquote, isPrintable, quote, quoteCharacter } from './quote.ts'

const RADIX: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, v: 10, x: 16, X: 16 }

/** A boolean. */
export function formatBoolean(value: boolean, verb: string, flags: Flags): string | undefined {
  return verb === 't' || verb === 'v' ? pad(String(value), flags) : undefined
}

/** An integer; `signed` tells whether its type is. */
export function formatInteger(value: bigint, signed: boolean, verb: string, flags: Flags): string | undefined {
  if (verb === 'v' && flags.sharpV && !signed) return integerText(value, 'x', { ...flags, sharp: true })
  if (verb === 'c') return pad(String.fromCodePoint(codePoint(value)), flags)
  if (verb === 'q') return pad(quoteCharacter(codePoint(value), flags.plus), flags)
  if (verb === 'U') return padBlank(unicodeText(value, flags), flags)
  return Object.hasOwn(RADIX, verb) ? integerText(value, verb, flags) : undefined
}

function codePoint(value: bigint): number {
  const code = Number(BigInt.asUintN(64, value))
  return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0xfffd : code
}

function unicodeText(value: bigint, { precision = 0, sharp }: Flags): string {
  const bits = BigInt.asUintN(64, value)
  const number = `U+${bits.toString(16).toUpperCase().padStart(Math.max(precision, 4), '0')}`
  const shown = sharp && bits <= 0x10ffffn && !(bits >= 0xd800n && bits < 0xe000n) ? String.fromCodePoint(Number(bits)) : ''
  return shown !== '' && isPrintable(shown) ? `${number} '${shown}'` : number
}

function integerText(value: bigint, verb: string, flags: Flags): string {
  const { plus, space, sharp, width = 0, precision } = flags
  if (precision === 0 && value === 0n) return ' '.repeat(width)
  const sign = value < 0n ? '-' : plus ? '+' : space ? ' ' : ''
  const zeros = precision === undefined && flags.zero && !flags.minus ? width - sign.length : (precision ?? 0)
  const radix = RADIX[verb] ?? 10
  let digits = (value < 0n ? -value : value).toString(radix).padStart(zeros, '0')
  if (sharp && radix === 2) digits = `0b${digits}`
  if (sharp && radix === 8 && !digits.startsWith('0')) digits = `0${digits}`
  if (sharp && radix === 16) digits = `0x${digits}`
  if (verb === 'O') digits = `0o${digits}`
  return padBlank(sign + (verb === 'X' ? digits.toUpperCase() : digits), flags)
}

/** A float. */
export function formatNumber(value: number, verb: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'v':
      return floatText(value, 'g', -1, flags)
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X':
      return floatText(value, verb, -1, flags)
    case 'e':
    case 'E':
    case 'f':
      return floatText(value, verb, 6, flags)
    case 'F':
      return floatText(value, 'f', 6, flags)
    default:
      return undefined
  }
}

function floatText(value: number, format: FloatFormat, usual: number, flags: Flags): string {
  const precision = flags.precision ?? usual
  const plain = formatFloat(value, format, precision)
  const signed = /^[-+]/.test(plain) ? plain : `+${plain}`
  const sign = signed.startsWith('+') && flags.space && !flags.plus ? ' ' : signed.charAt(0)
  const size = signed.slice(1)
  const shown = flags.plus || sign !== '+'
  if (!Number.isFinite(value)) return padBlank((shown ? sign : '') + size, flags)
  const text = flags.sharp && format !== 'b' ? withAllDigits(size, format, precision) : size
  if (!shown) return pad(text, flags)
  const missing = (flags.width ?? 0) - text.length - 1
  if (flags.zero && !flags.minus && missing > 0) return sign + '0'.repeat(missing) + text
  return pad(sign + text, flags)
}

/** The flag `#`: a decimal point in any case, and the zeros at the end kept. */
function withAllDigits(text: string, format: FloatFormat, precision: number): string {
  const hex = format === 'x' || format === 'X'
  const at = text.search(hex ? /[pP]/ : /[eE]/)
  const [number, tail] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)]
  let missing = format === 'g' || format === 'G' || format === 'x' ? (precision === -1 ? 6 : precision) : 0
  const significant = number.replace('.', '').replace(/^0+/, '')
  missing -= significant.length
  if (!number.includes('.') && number === '0') missing--
  const pointed = number.includes('.') ? number : `${number}.`
  return pointed + '0'.repeat(Math.max(missing, 0)) + tail
}

/** A text. */
export function formatText(text: string, verb: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'v':
      return flags.sharpV ? quotedText(text, flags) : pad(truncated(text, flags), flags)
    case 's':
      return pad(truncated(text, flags), flags)
    case 'q':
      return quotedText(text, flags)
    case 'x':
    case 'X':
      return hexText(text, verb, flags)
    default:
      return undefined
  }
}

function quotedText(text: string, flags: Flags): string {
  const cut = truncated(text, flags)
  if (flags.sharp && canBackquote(cut)) return pad(`\`${cut}\``, flags)
  return pad(quote(cut, flags.plus), flags)
}

function truncated(text: string, { precision }: Flags): string {
  if (precision === undefined || text.length <= precision) return text
  let [count, end] = [0, 0]
  for (const character of text) {
    if (++count > precision) return text.slice(0, end)
    end += character.length
  }
  return text
}

function hexText(text: string, verb: string, flags: Flags): string {
  const { precision, sharp, space } = flags
  const bytes = toBytes(text)
  const shown = precision === undefined ? bytes : bytes.subarray(0, precision)
  if (shown.length === 0) return pad('', flags)
  const pairs = [...shown].map((byte) => byte.toString(16).padStart(2, '0'))
  const hex = space ? pairs.map((pair) => (sharp ? `0x${pair}` : pair)).join(' ') : (sharp ? '0x' : '') + pairs.join('')
  return pad(verb === 'X' ? hex.toUpperCase() : hex, flags)
}
