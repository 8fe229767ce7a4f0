// Decimal arithmetic for addf, subf, mulf and divf: 0.1 + 0.2 is 0.3.
import { fail } from '../errors.ts'

const DIVISION_DIGITS = 16
// the largest and smallest floats differ by some 630 powers of ten; products of many of them would grow without end
const MAX_DIGITS = 10_000

/** coefficient × 10^exponent */
export interface Decimal {
  readonly coefficient: bigint
  readonly exponent: number
}

/** The decimal that a float is written as. */
export function decimalOf(value: number): Decimal {
  if (!Number.isFinite(value)) fail(`Cannot create a Decimal from ${value}`)
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { coefficient: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length }
}

/** The float nearest to a decimal. */
export function toFloat({ coefficient, exponent }: Decimal): number {
  return Number(`${coefficient}e${exponent}`)
}

/** The exact sum. */
export function add(left: Decimal, right: Decimal): Decimal {
  const exponent = Math.min(left.exponent, right.exponent)
  return { coefficient: scaled(left, exponent) + scaled(right, exponent), exponent }
}

/** The exact difference. */
export function subtract(left: Decimal, right: Decimal): Decimal {
  return add(left, { coefficient: -right.coefficient, exponent: right.exponent })
}

/** The exact product. Fails if it has too many digits. */
export function multiply(left: Decimal, right: Decimal): Decimal {
  return limited({ coefficient: left.coefficient * right.coefficient, exponent: left.exponent + right.exponent })
}

/** The quotient with sixteen digits after the point, halves away from zero. */
export function divide(left: Decimal, right: Decimal): Decimal {
  if (right.coefficient === 0n) fail('decimal division by 0')
  const shift = left.exponent - right.exponent + DIVISION_DIGITS
  if (Math.abs(shift) > MAX_DIGITS) fail('a decimal has too many digits')
  const numerator = shift >= 0 ? left.coefficient * 10n ** BigInt(shift) : left.coefficient
  const denominator = shift >= 0 ? right.coefficient : right.coefficient * 10n ** BigInt(-shift)
  return { coefficient: roundedQuotient(numerator, denominator), exponent: -DIVISION_DIGITS }
}

function roundedQuotient(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n
  const [top, bottom] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator]
  const quotient = (2n * top + bottom) / (2n * bottom)
  return negative ? -quotient : quotient
}

function scaled({ coefficient, exponent }: Decimal, to: number): bigint {
  if (exponent - to > MAX_DIGITS) fail('a decimal has too many digits')
  return coefficient * 10n ** BigInt(exponent - to)
}

function limited(decimal: Decimal): Decimal {
  const limit = 1n << BigInt(MAX_DIGITS * 3)
  if (decimal.coefficient > limit || decimal.coefficient < -limit) fail('a decimal has too many digits')
  return decimal
}
