// Numbers. Arithmetic is on int64, which wraps around; with an f at the end of its name, on floats.
import { fail } from '../errors.ts'
import { int64, type Run, type Value } from '../values/value.ts'
import { floatFrom, integerFrom, textOf } from './convert.ts'
import { add, type Decimal, decimalOf, divide, multiply, subtract, toFloat } from './decimal.ts'
import { define, defineWith, type FunctionTable } from './define.ts'

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)

const max = define(['any', '...any'], (first, ...rest) =>
  int64(rest.map(integerFrom).reduce((a, b) => (b > a ? b : a), integerFrom(first))),
)

/** Functions of numbers. */
export const MATH: FunctionTable = {
  add: define(['...any'], (...values) => int64(values.map(integerFrom).reduce((a, b) => a + b, 0n))),
  add1: define(['any'], (value) => int64(integerFrom(value) + 1n)),
  sub: define(['any', 'any'], (left, right) => int64(integerFrom(left) - integerFrom(right))),
  mul: define(['any', '...any'], (first, ...rest) => int64(rest.map(integerFrom).reduce(product, integerFrom(first)))),
  div: define(['any', 'any'], (left, right) => int64(integerFrom(left) / nonZero(integerFrom(right)))),
  mod: define(['any', 'any'], (left, right) => int64(integerFrom(left) % nonZero(integerFrom(right)))),
  max,
  biggest: max,
  min: define(['any', '...any'], (first, ...rest) => int64(rest.map(integerFrom).reduce((a, b) => (b < a ? b : a), integerFrom(first)))),
  maxf: define(['any', '...any'], (first, ...rest) => rest.map(floatFrom).reduce((a, b) => Math.max(a, b), floatFrom(first))),
  minf: define(['any', '...any'], (first, ...rest) => rest.map(floatFrom).reduce((a, b) => Math.min(a, b), floatFrom(first))),
  add1f: define(['any'], (value) => decimals([value, 1], add)),
  addf: define(['...any'], (...values) => decimals([0, ...values], add)),
  subf: define(['any', '...any'], (...values) => decimals(values, subtract)),
  mulf: define(['any', '...any'], (...values) => decimals(values, multiply)),
  divf: define(['any', '...any'], (...values) => decimals(values, divide)),
  ceil: define(['any'], (value) => Math.ceil(floatFrom(value))),
  floor: define(['any'], (value) => Math.floor(floatFrom(value))),
  round: define(['any', 'int', '...float'], (value, places, ...threshold) =>
    rounded(floatFrom(value), Number(places), threshold[0] ?? 0.5),
  ),
  int: define(['any'], integerFrom),
  int64: define(['any'], (value) => int64(integerFrom(value))),
  float64: define(['any'], floatFrom),
  atoi: define(['string'], decimalInteger),
  toDecimal: defineWith(['any'], (run, value) => int64(octal(value, run))),
}

function nonZero(value: bigint): bigint {
  return value === 0n ? fail('runtime error: integer divide by zero') : value
}

function product(left: bigint, right: bigint): bigint {
  return BigInt.asIntN(64, left * right)
}

function decimals(values: readonly Value[], operation: (left: Decimal, right: Decimal) => Decimal): number {
  const [first = { coefficient: 0n, exponent: 0 }, ...rest] = values.map((value) => decimalOf(floatFrom(value)))
  return toFloat(rest.reduce(operation, first))
}

function rounded(value: number, places: number, threshold: number): number {
  const power = 10 ** places
  const digit = power * value
  const up = digit - Math.trunc(digit) >= threshold
  return (up ? Math.ceil(digit) : Math.floor(digit)) / power
}

/** A decimal number; 0 if it is none, the nearest integer if it does not fit. */
function decimalInteger(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) return 0n
  const value = BigInt(text.replace(/^\+/, ''))
  if (value > MAX_INT) return MAX_INT
  return value < MIN_INT ? MIN_INT : value
}

/** What file modes need: a number of which the digits are octal. */
function octal(value: Value, run: Run): bigint {
  const match = /^([+-]?)([0-7]+)$/.exec(textOf(value, run.meter))
  if (!match) return 0n
  const number = BigInt(`0o${match[2]}`)
  const signed = match[1] === '-' ? -number : number
  return signed > MAX_INT || signed < MIN_INT ? 0n : signed
}
