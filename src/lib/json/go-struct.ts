// Go structs as encoding/json writes them: fields in declared order, unknown fields dropped, empty ones left out where the field says so.
import { goString, marshalGoJson } from './go-json.ts'
import { compareUtf8 } from './utf8.ts'

/** A Go type: how a value of it is written (absent and null are its zero value), and what `omitempty` leaves out. */
export interface GoType {
  write(value: unknown): string
  isEmpty(value: unknown): boolean
}

/** A field: always written, or left out when empty. */
export interface GoField {
  readonly type: GoType
  readonly always: boolean
}

function isNil(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function wrong(expected: string, value: unknown): TypeError {
  return new TypeError(`expected ${expected}, found ${Array.isArray(value) ? 'a list' : typeof value}`)
}

/** `string`. */
export const goText: GoType = {
  write(value) {
    if (isNil(value)) return '""'
    if (typeof value !== 'string') throw wrong('a text', value)
    return goString(value)
  },
  isEmpty: (value) => isNil(value) || value === '',
}

/** `bool`. */
export const goBool: GoType = {
  write(value) {
    if (!isNil(value) && typeof value !== 'boolean') throw wrong('true or false', value)
    return String(value ?? false)
  },
  isEmpty: (value) => isNil(value) || value === false,
}

/** `int` and `int64`; whole numbers that JavaScript can hold. */
export const goInt: GoType = {
  write(value) {
    if (isNil(value)) return '0'
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong('a whole number', value)
    return BigInt(value).toString()
  },
  isEmpty: (value) => isNil(value) || value === 0,
}

/** A map of anything with a pointer to it, such as helm values: `{}` is written, null is not there. */
export const goAnyMap: GoType = {
  write(value) {
    if (!isNil(value) && (typeof value !== 'object' || Array.isArray(value))) throw wrong('a map', value)
    return marshalGoJson(value ?? null)
  },
  isEmpty: isNil,
}

/** A pointer: null is left out, a pointer to an empty value is not. */
export function goPointer(type: GoType): GoType {
  return { write: (value) => (isNil(value) ? 'null' : type.write(value)), isEmpty: isNil }
}

/** A slice: null is written as null. */
export function goList(items: GoType): GoType {
  return {
    write(value) {
      if (isNil(value)) return 'null'
      if (!Array.isArray(value)) throw wrong('a list', value)
      return `[${value.map((item) => items.write(item)).join(',')}]`
    },
    isEmpty: (value) => isNil(value) || (Array.isArray(value) && value.length === 0),
  }
}

/** A map with text keys, written in the order of their bytes. */
export function goMap(values: GoType): GoType {
  return {
    write(value) {
      if (isNil(value)) return 'null'
      const entries = members(value).sort(([a], [b]) => compareUtf8(a, b))
      return `{${entries.map(([key, entry]) => `${goString(key)}:${values.write(entry)}`).join(',')}}`
    },
    isEmpty: (value) => isNil(value) || members(value).length === 0,
  }
}

/** A struct by value: never empty. Fields come in the order of the table. */
export function goStruct(fields: Readonly<Record<string, GoType | GoField>>): GoType {
  const table = Object.entries(fields).map(([name, field]) => ({ name, ...('type' in field ? field : { type: field, always: false }) }))
  return {
    write(value) {
      const given = Object.fromEntries(isNil(value) ? [] : members(value))
      const parts: string[] = []
      for (const { name, type, always } of table) {
        if (always || !type.isEmpty(given[name])) parts.push(`${goString(name)}:${type.write(given[name])}`)
      }
      return `{${parts.join(',')}}`
    },
    isEmpty: () => false,
  }
}

/** The value as Go holds and writes it on after reading: without what is empty or unknown, quantities in canonical form. */
export function throughGo<T>(type: GoType, value: T): T {
  return JSON.parse(type.write(value)) as T
}

/** A field that is written even when empty. */
export function always(type: GoType): GoField {
  return { type, always: true }
}

function members(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('a map', value)
  return Object.entries(value).filter(([, entry]) => entry !== undefined)
}
