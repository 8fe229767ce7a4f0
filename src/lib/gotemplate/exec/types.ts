// Go's rules for handing a value to a parameter.
import type { NumberConstant } from '../parse/number.ts'
import { duration, GoComplex, GoList, GoMap, typeName, uint32, type Value } from '../values/value.ts'

/** True for parameters that take everything. */
export function takesAnything(type: string): boolean {
  return type === 'interface {}' || type === 'reflect.Value'
}

/** What nil becomes for a parameter; undefined if it takes no nil. */
export function nilFor(type: string): Value {
  if (takesAnything(type) || type.startsWith('*')) return null
  if (type.startsWith('[]')) return new GoList([], type, true)
  return type.startsWith('map[') ? new GoMap(new Map(), type, true) : undefined
}

/** The value as a parameter of that type, or what is wrong with it. */
export function assign(value: Value, type: string): { readonly value: Value } | { readonly problem: string } {
  if (value === undefined) {
    const nil = nilFor(type)
    return nil === undefined ? { problem: `invalid value; expected ${type}` } : { value: nil }
  }
  if (takesAnything(type) || typeName(value) === type) return { value }
  return { problem: `wrong type for value; expected ${type}; got ${value === null ? 'interface {}' : typeName(value)}` }
}

/** A number constant as a parameter of a number type; undefined if it cannot be one. */
export function constantFor(constant: NumberConstant, type: string): Value {
  switch (type) {
    case 'int':
      return constant.int
    case 'time.Duration':
      return constant.int === undefined ? undefined : duration(constant.int)
    case 'uint32':
      return constant.uint === undefined ? undefined : uint32(constant.uint)
    case 'float64':
      return constant.float
    default:
      return undefined
  }
}

/** What a constant is where nothing tells its type; undefined if it fits no int. */
export function idealConstant(constant: NumberConstant, text: string): Value {
  if (constant.complex) return new GoComplex(constant.complex.real, constant.complex.imaginary)
  if (constant.float !== undefined && /[.eEpP]/.test(text) && !text.startsWith("'") && !isHexadecimalInt(text)) return constant.float
  return constant.int
}

function isHexadecimalInt(text: string): boolean {
  return /^0[xX]/.test(text) && text.length > 2 && !/[pP]/.test(text)
}
