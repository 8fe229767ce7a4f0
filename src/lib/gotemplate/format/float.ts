// Floats as Go's strconv.FormatFloat writes them: exact decimals, halves to even.

/** Formats of a float; upper case differs only in letters. */
export type FloatFormat = 'b' | 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X'

/** Significant digits without trailing zeros; the decimal point comes before the digit at `point`. */
interface Digits {
  readonly digits: string
  readonly point: number
}

// a double has at most 767 significant digits, and its last one at most 1074 places after the point
const MOST_DIGITS = 1_100

/** The text of a float. `precision` counts digits as the format does; -1 asks for the shortest text that reads back as the same float. */
export function formatFloat(value: number, format: FloatFormat, precision: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  if (format === 'x' || format === 'X') return sign + hexadecimal(size, format, precision)
  if (format === 'b') return sign + binary(size)
  const lower = decimal(size, format === 'f' ? 'f' : format === 'e' || format === 'E' ? 'e' : 'g', precision)
  return sign + (format === 'E' || format === 'G' ? lower.toUpperCase() : lower)
}

function decimal(size: number, format: 'e' | 'f' | 'g', precision: number): string {
  if (precision < 0) {
    const digits = shortest(size)
    if (format === 'e') return withExponent(digits, digits.digits.length - 1)
    if (format === 'f') return withPoint(digits, Math.max(digits.digits.length - digits.point, 0))
    return general(digits, digits.digits.length, 6)
  }
  if (format === 'f') return withPoint(rounded(size, precision), precision)
  if (format === 'e') return withExponent(significant(size, precision + 1), precision)
  const wanted = precision || 1
  const digits = significant(size, wanted)
  const { length } = digits.digits
  return general(digits, wanted, wanted > length && length >= digits.point ? length : wanted)
}

function general(digits: Digits, precision: number, exponentFrom: number): string {
  const { length } = digits.digits
  const exponent = digits.point - 1
  if (exponent < -4 || exponent >= exponentFrom) return withExponent(digits, Math.min(precision, length) - 1)
  const places = (precision > digits.point ? length : precision) - digits.point
  return withPoint(digits, Math.max(places, 0))
}

/** The shortest digits that read back as the float: JavaScript finds the same ones. */
function shortest(size: number): Digits {
  if (size === 0) return { digits: '', point: 0 }
  const [mantissa = '', exponent] = size.toExponential().split('e')
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 }
}

/** As many significant digits. */
function significant(size: number, count: number): Digits {
  if (size === 0) return { digits: '', point: 0 }
  const point = shortest(size).point
  const places = Math.min(count, MOST_DIGITS) - point
  const { digits, point: exact } = rounded(size, places)
  return { digits, point: exact }
}

/** Rounded to so many places after the point; negative places are digits before it. */
function rounded(size: number, places: number): Digits {
  if (size === 0) return { digits: '', point: 0 }
  const used = Math.min(places, MOST_DIGITS)
  const [mantissa, exponent] = split(size)
  let numerator = mantissa
  let denominator = 1n
  if (exponent >= 0) numerator <<= BigInt(exponent)
  else denominator <<= BigInt(-exponent)
  if (used >= 0) numerator *= 10n ** BigInt(used)
  else denominator *= 10n ** BigInt(-used)
  const text = divide(numerator, denominator).toString()
  const digits = text === '0' ? '' : text.replace(/0+$/, '')
  return { digits, point: text === '0' ? 0 : text.length - used }
}

/** The quotient, a half rounded to even. */
function divide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n)
  return up ? quotient + 1n : quotient
}

/** Mantissa and exponent of two: the float is mantissa × 2^exponent. */
function split(size: number): [mantissa: bigint, exponent: number] {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, size)
  const bits = view.getBigUint64(0)
  const fraction = bits & (2n ** 52n - 1n)
  const exponent = Number(bits >> 52n)
  return exponent === 0 ? [fraction, -1074] : [fraction | (1n << 52n), exponent - 1075]
}

function withExponent({ digits, point }: Digits, places: number): string {
  const fraction = digits.slice(1).padEnd(Math.max(places, 0), '0').slice(0, Math.max(places, 0))
  const exponent = digits === '' ? 0 : point - 1
  const power = String(Math.abs(exponent)).padStart(2, '0')
  return `${digits[0] ?? '0'}${fraction && `.${fraction}`}e${exponent < 0 ? '-' : '+'}${power}`
}

function withPoint({ digits, point }: Digits, places: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (places === 0) return whole
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, places)) + digits
  return `${whole}.${fraction.padEnd(places, '0').slice(0, places)}`
}

function binary(size: number): string {
  const [mantissa, exponent] = split(size)
  return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
}

function hexadecimal(size: number, format: 'x' | 'X', precision: number): string {
  let [mantissa, exponent] = split(size)
  if (mantissa === 0n) exponent = -52
  while (mantissa !== 0n && mantissa < 1n << 52n) {
    mantissa <<= 1n
    exponent--
  }
  if (precision >= 0 && precision < 13) {
    const unit = 1n << BigInt(4 * (13 - precision))
    mantissa = divide(mantissa, unit) * unit
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n
      exponent++
    }
  }
  const all = (mantissa & (2n ** 52n - 1n)).toString(16).padStart(13, '0')
  const fraction = precision < 0 ? all.replace(/0+$/, '') : all.padEnd(precision, '0').slice(0, precision)
  const power = exponent + 52
  const text = `0x${mantissa >> 52n}${fraction && `.${fraction}`}p${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  return format === 'X' ? text.toUpperCase() : text
}
