// The values of a running template, and what Go calls their types.
import { formatDuration } from '../../duration/duration.ts'

/**
 * A value: `bigint` is Go's int, `number` its float64; `undefined` is no value at all, `null` a nil that was found in a map, a list, or given by a function.
 */
export type Value = undefined | null | boolean | string | number | bigint | GoInt | GoComplex | GoList | GoMap | GoObject

interface IntType {
  readonly kind: string
  readonly bits: number
  readonly signed: boolean
  /** the text instead of the number */
  readonly text?: (value: bigint) => string
}

/** Integers that are not Go's int. */
export class GoInt {
  readonly type: string
  readonly value: bigint
  readonly details: IntType

  constructor(type: string, value: bigint, details: IntType) {
    this.type = type
    this.value = value
    this.details = details
  }
}

const INT64: IntType = { kind: 'int64', bits: 64, signed: true }
const UINT64: IntType = { kind: 'uint64', bits: 64, signed: false }
const UINT32: IntType = { kind: 'uint32', bits: 32, signed: false }
const UINT8: IntType = { kind: 'uint8', bits: 8, signed: false }

/** An int64, cut to its 64 bits. */
export function int64(value: bigint): GoInt {
  return new GoInt('int64', BigInt.asIntN(64, value), INT64)
}

/** A uint64, cut to its 64 bits. */
export function uint64(value: bigint): GoInt {
  return new GoInt('uint64', BigInt.asUintN(64, value), UINT64)
}

/** A uint32, cut to its 32 bits. */
export function uint32(value: bigint): GoInt {
  return new GoInt('uint32', BigInt.asUintN(32, value), UINT32)
}

/** A uint8. */
export function byte(value: number): GoInt {
  return new GoInt('uint8', BigInt(value), UINT8)
}

/** An integer of a type with a name and a text of its own, such as time.Month. */
export function namedInt(type: string, kind: 'int' | 'int64', value: bigint, text: (value: bigint) => string): GoInt {
  return new GoInt(type, value, { kind, bits: 64, signed: true, text })
}

/** A time.Duration in nanoseconds. */
export function duration(nanoseconds: bigint): GoInt {
  return namedInt('time.Duration', 'int64', BigInt.asIntN(64, nanoseconds), formatDuration)
}

/** A complex number: they can be written in templates, and that is all. */
export class GoComplex {
  readonly real: number
  readonly imaginary: number

  constructor(real: number, imaginary: number) {
    this.real = real
    this.imaginary = imaginary
  }
}

/** A slice. */
export class GoList {
  readonly type: string
  readonly items: Value[]
  readonly isNil: boolean

  constructor(items: Value[], type = '[]interface {}', isNil = false) {
    this.items = items
    this.type = type
    this.isNil = isNil
  }

  get elementType(): string {
    return this.type.slice('[]'.length)
  }
}

/** A map with texts as keys. */
export class GoMap {
  readonly type: string
  readonly entries: Map<string, Value>
  readonly isNil: boolean

  constructor(entries: Map<string, Value> = new Map(), type = 'map[string]interface {}', isNil = false) {
    this.entries = entries
    this.type = type
    this.isNil = isNil
  }

  get elementType(): string {
    return this.type.slice('map[string]'.length)
  }
}

/** A struct, or a pointer to one, with methods. */
export abstract class GoObject {
  /** such as `time.Time` or `*semver.Version` */
  abstract readonly type: string
  abstract readonly kind: 'struct' | 'ptr'
  /** What its `String` method gives; undefined if it has none. */
  abstract text(): string | undefined
  /** Its fields in their order. */
  abstract fields(): readonly (readonly [name: string, value: Value])[]
  /** A method by name; its function takes the arguments without the receiver. */
  abstract method(name: string): GoFunction | undefined
  /** What `json.Marshal` makes of it, as a plain value. */
  abstract json(): Value
  /** Whether another one of the same type is the same. */
  abstract equals(other: GoObject): boolean
}

/** A function of templates, or a bound method. */
export interface GoFunction {
  /** types of the parameters; the last may start with `...` */
  readonly params: readonly string[]
  /** `and` and `or`: arguments are evaluated one by one until one has this truth; that one, or the last, is the result */
  readonly stopsAt?: boolean
  /** Gets as many arguments as it has parameters, checked by type. Throws `FunctionError`. */
  call(args: readonly Value[], run: Run): Value
}

/** What a function may use of the rendering it runs in. */
export interface Run {
  readonly meter: {
    readonly limits: { readonly patternLength: number; readonly regexInput: number; readonly depth: number }
    step(units?: number): void
    read(count: number): void
    create(count: number): void
    deep(level: number): void
    output(length: number): void
  }
  /** What is worth keeping for other renderings of the same template, such as a compiled expression; made when it is first asked for. */
  remember<T>(key: string, make: () => T, isWorthIt?: (made: T) => boolean): T
  /** random bytes; absent: functions that need them fail */
  readonly random?: ((count: number) => Uint8Array) | undefined
  /** milliseconds since 1970; absent: functions that need the time fail */
  readonly now?: (() => number) | undefined
}

/** The type of a value as `%T` prints it. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    case 'number':
      return 'float64'
    case 'bigint':
      return 'int'
    case 'undefined':
      return '<nil>'
    default:
      if (value === null) return '<nil>'
      return value instanceof GoComplex ? 'complex128' : value.type
  }
}

/** The kind of a value as `reflect.Kind` prints it. */
export function kindName(value: Value): string {
  if (typeof value !== 'object') return value === undefined ? 'invalid' : typeName(value)
  if (value === null) return 'invalid'
  if (value instanceof GoList) return 'slice'
  if (value instanceof GoMap) return 'map'
  if (value instanceof GoInt) return value.details.kind
  return value instanceof GoComplex ? 'complex128' : value.kind
}

/** The integer in a value of any integer type. */
export function integerOf(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value
  return value instanceof GoInt ? value.value : undefined
}

/** True for nil and for nil maps and lists. */
export function isNil(value: Value): boolean {
  if (value === undefined || value === null) return true
  return (value instanceof GoList || value instanceof GoMap) && value.isNil
}
