// How sprig's functions read their arguments: nearly anything passes for a text, a number or a list.
import { print } from '../format/print.ts'
import { parseFloatConstant, parseInteger } from '../parse/number.ts'
import { GoInt, GoList, integerOf, type Run, type Value } from '../values/value.ts'

type Meter = Run['meter']

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)

/** The text of a value: itself, or what `%v` prints. */
export function textOf(value: Value, meter: Meter): string {
  return typeof value === 'string' ? value : print(value, meter)
}

/** The texts of a list without its nils; anything else is a list of one. */
export function textsOf(value: Value, meter: Meter): string[] {
  if (value === null || value === undefined) return []
  if (!(value instanceof GoList)) return [textOf(value, meter)]
  return value.items.filter((item) => item !== null && item !== undefined).map((item) => textOf(item, meter))
}

/** A 64-bit integer from a number, a text or a boolean; 0 if it is none. */
export function integerFrom(value: Value): bigint {
  switch (typeof value) {
    case 'bigint':
      return value
    case 'number':
      return truncated(value)
    case 'boolean':
      return value ? 1n : 0n
    case 'string':
      return integerFromText(value)
    default:
      // types with a name of their own are read only where they stand for numbers of the calendar
      return value instanceof GoInt && value.type !== 'time.Duration' ? (integerOf(value) ?? 0n) : 0n
  }
}

/** A float without its fraction; what does not fit 64 bits becomes the lowest integer, as on common processors. */
function truncated(value: number): bigint {
  const whole = Number.isFinite(value) ? BigInt(Math.trunc(value)) : MIN_INT
  return whole >= MIN_INT && whole <= MAX_INT ? whole : MIN_INT
}

function integerFromText(text: string): bigint {
  // 8.00 counts as 8
  const integer = parseInteger(text.replace(/\.0+$/, ''))
  return integer !== undefined && integer >= MIN_INT && integer <= MAX_INT ? integer : 0n
}

const NAMED = /^([+-]?)(inf|infinity|nan)$/i

/** A float from a number, a text or a boolean; 0 if it is none. */
export function floatFrom(value: Value): number {
  switch (typeof value) {
    case 'bigint':
      return Number(value)
    case 'number':
      return value
    case 'boolean':
      return value ? 1 : 0
    case 'string':
      return floatFromText(value)
    default:
      return value instanceof GoInt && value.type !== 'time.Duration' ? Number(value.value) : 0
  }
}

function floatFromText(text: string): number {
  const named = NAMED.exec(text)
  return named ? namedFloat(named[1] ?? '', named[2] ?? '') : (parseFloatConstant(text) ?? 0)
}

function namedFloat(sign: string, name: string): number {
  if (name.toLowerCase() === 'nan') return sign === '' ? Number.NaN : 0
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}
