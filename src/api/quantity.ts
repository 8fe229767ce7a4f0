// Quantities such as 100m or 64Mi in the form in which Kubernetes writes them, so that equal amounts hash equally.

/** An exact decimal number: digits × 10^exponent. */
interface Decimal {
  digits: bigint
  exponent: number
}

interface Parts {
  negative: boolean
  whole: string
  fraction: string
  suffix: string
}

interface Unit {
  base: 2 | 10
  exponent: number
  format: 'decimal' | 'binary' | 'exponent'
}

const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const NANO = -9
const INT64_MAX = (1n << 63n) - 1n

/** The canonical text of a quantity: `1024Mi` is `1Gi`, `1000m` is `1`, 0.5 is `500m`. Absent is `0`. Throws on what is no quantity. */
export function canonicalQuantity(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '0'
  const text = String(value).trim()
  const parts = split(text)
  const unit = parts && unitOf(parts.suffix)
  if (!parts || !unit) throw new Error(`${JSON.stringify(text)} is not a quantity: write a number with a unit, such as 100m or 64Mi`)
  if (isKeptAsWritten(parts, unit)) return text
  return format(amountOf(parts, unit), unit)
}

function split(text: string): Parts | undefined {
  const match = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*(?:[+-]?\d*))$/.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match
  return { negative: sign === '-', whole: whole.replace(/^0+/, '') || '0', fraction, suffix }
}

function unitOf(suffix: string): Unit | undefined {
  const decimal = Object.hasOwn(DECIMAL, suffix) ? DECIMAL[suffix] : undefined
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'decimal' }
  const binary = Object.hasOwn(BINARY, suffix) ? BINARY[suffix] : undefined
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'binary' }
  return /^[eE][+-]?\d{1,9}$/.test(suffix) ? { base: 10, exponent: Number(suffix.slice(1)), format: 'exponent' } : undefined
}

// Kubernetes remembers the text of short numbers that look canonical, and writes it back even where it is not (+5, 1.500)
function isKeptAsWritten({ whole, fraction, suffix }: Parts, { exponent, format: kind }: Unit): boolean {
  const digits = whole + fraction
  if (kind === 'binary') {
    const precision = 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1
    const value = BigInt(digits)
    return fraction === '' && precision >= 0 && suffix !== '' && value % 8n !== 0n && value << BigInt(exponent) <= INT64_MAX
  }
  const scale = exponent - fraction.length
  return digits.length <= 18 && scale >= NANO && scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0')
}

/** The amount as a number, rounded up to billionths and, with binary units, capped at 64 bits. */
function amountOf({ negative, whole, fraction }: Parts, { base, exponent, format: kind }: Unit): Decimal {
  const factor = base === 2 ? 1n << BigInt(exponent) : 1n
  const exact = { digits: BigInt(whole + fraction) * factor, exponent: (base === 10 ? exponent : 0) - fraction.length }
  const rounded = roundUp(exact, NANO)
  const capped = kind === 'binary' && wholePart(rounded) > INT64_MAX ? { digits: INT64_MAX, exponent: 0 } : rounded
  return negative ? { ...capped, digits: -capped.digits } : capped
}

function roundUp({ digits, exponent }: Decimal, lowest: number): Decimal {
  if (exponent >= lowest || digits === 0n) return { digits, exponent }
  const drop = lowest - exponent
  if (drop > digits.toString().length) return { digits: 1n, exponent: lowest }
  const divisor = 10n ** BigInt(drop)
  return { digits: digits / divisor + (digits % divisor === 0n ? 0n : 1n), exponent: lowest }
}

// binary amounts only: their exponent is never positive
function wholePart({ digits, exponent }: Decimal): bigint {
  return exponent < 0 ? digits / 10n ** BigInt(-exponent) : digits
}

function format(amount: Decimal, unit: Unit): string {
  if (amount.digits === 0n) return '0'
  const whole = unit.format === 'binary' ? wholeNumber(amount) : undefined
  if (whole !== undefined && (whole >= 1024n || whole <= -1024n)) return formatBinary(whole)
  return formatDecimal(amount, unit.format === 'exponent')
}

function wholeNumber({ digits, exponent }: Decimal): bigint | undefined {
  const divisor = 10n ** BigInt(-exponent)
  return digits % divisor === 0n ? digits / divisor : undefined
}

function formatBinary(whole: bigint): string {
  let value = whole
  let exponent = 0
  while (value % 1024n === 0n) {
    value /= 1024n
    exponent += 10
  }
  return `${value}${suffixOf(BINARY, exponent)}`
}

function formatDecimal(amount: Decimal, scientific: boolean): string {
  let { digits, exponent } = amount
  while (digits % 10n === 0n) {
    digits /= 10n
    exponent++
  }
  for (; exponent % 3 !== 0; exponent--) digits *= 10n
  if (scientific) return exponent === 0 ? String(digits) : `${digits}e${exponent}`
  return `${digits}${suffixOf(DECIMAL, exponent)}`
}

function suffixOf(table: Readonly<Record<string, number>>, exponent: number): string {
  return Object.keys(table).find((suffix) => table[suffix] === exponent) ?? ''
}
