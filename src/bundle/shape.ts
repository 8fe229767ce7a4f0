// Reads values of fleet.yaml into typed options the way Go's JSON decoder does: keys in any case, zero values left out, types checked, unknown keys noted.
import { isMap } from '../lib/json/is-map.ts'
import { formatFloat } from '../lib/yaml/float.ts'

/** Where a value stands, and what came up while reading. */
export interface Place {
  /** `helm.values`; empty at the top */
  readonly path: string
  /** Go turns numbers and booleans into text in some places, and refuses them in others */
  readonly convert: boolean
  readonly problems: string[]
  readonly unknown: string[]
}

/** How a value is read. `read` gives undefined for null and for what does not fit (then with a problem). */
export interface Shape {
  read(value: unknown, place: Place): unknown
  /** what stands for null in a list */
  readonly zero: unknown
  /** zero values mean something: they are kept when they are written down */
  readonly pointer?: boolean
  /** written down with its zero value when nothing is given */
  readonly always?: boolean
}

export interface Field {
  readonly shape: Shape
  /** the field belongs to an embedded Go struct, below which nothing is converted to text */
  readonly embedded?: boolean
}

const MAX_ITEMS = 10_000

export function startPlace(): Place {
  return { path: '', convert: true, problems: [], unknown: [] }
}

export const text: Shape = {
  zero: '',
  read(value, place) {
    if (typeof value === 'string') return value
    if (place.convert && typeof value === 'boolean') return String(value)
    if (place.convert && typeof value === 'number') return Number.isInteger(value) ? String(value) : formatFloat(value, 64)
    const quote = typeof value === 'number' || typeof value === 'boolean' ? ': put it in quotes' : ''
    return wrong(place, 'text', value, quote)
  },
}

export const flag: Shape = {
  zero: false,
  read: (value, place) => (typeof value === 'boolean' ? value : wrong(place, 'true or false', value)),
}

export const integer: Shape = {
  zero: 0,
  read(value, place) {
    if (typeof value !== 'number') return wrong(place, 'a whole number', value)
    if (Number.isSafeInteger(value)) return value
    place.problems.push(`${place.path} must be a whole number${Number.isInteger(value) ? ' of at most 53 bits' : ', not a fraction'}`)
    return undefined
  },
}

/** A number or a percentage. */
export const intOrText: Shape = {
  zero: 0,
  pointer: true,
  read(value, place) {
    if (typeof value === 'string') return value
    if (!Number.isSafeInteger(value) || value === (Number(value) | 0)) return integer.read(value, place)
    place.problems.push(`${place.path} must be a whole number of at most 32 bits`)
    return undefined
  },
}

/** Base64 of bytes. */
export const base64: Shape = {
  zero: '',
  read(value, place) {
    if (typeof value === 'string' && /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) return value
    return wrong(place, 'base64', value)
  },
}

/** A map of anything, such as helm values. */
export const anyMap: Shape = {
  zero: {},
  pointer: true,
  read: (value, place) => (isMap(value) ? value : wrong(place, 'a map', value)),
}

/** Written even when it is not given: Go has no way to leave it out. */
export function always(shape: Shape): Shape {
  return { ...shape, pointer: true, always: true }
}

/** Keeps zero values. */
export function pointer(shape: Shape): Shape {
  return { ...shape, pointer: true }
}

export function list(items: Shape): Shape {
  return {
    zero: [],
    read(value, place) {
      if (!Array.isArray(value)) return wrong(place, 'a list', value)
      if (value.length > MAX_ITEMS) {
        place.problems.push(`${place.path} has ${value.length} entries, ${MAX_ITEMS} are the most`)
        return undefined
      }
      return value.map((item, index) => (item === null ? items.zero : items.read(item, { ...place, path: `${place.path}[${index}]` })))
    },
  }
}

/** Text by name. */
export const textMap: Shape = {
  zero: {},
  read(value, place) {
    if (!isMap(value)) return wrong(place, 'a map', value)
    const read = ([key, entry]: [string, unknown]) => [key, entry === null ? '' : text.read(entry, below(place, key))]
    return Object.fromEntries(Object.entries(value).map(read))
  },
}

/** A Go struct. Of keys that differ in case only, the usual spelling counts, else the last one. */
export function struct(fields: Readonly<Record<string, Shape | Field>>): Shape {
  const byLowerCase = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]))
  return {
    zero: {},
    pointer: true,
    read(value, place) {
      if (!isMap(value)) return wrong(place, 'a map', value)
      const given = new Map<string, unknown>()
      for (const key of Object.keys(value).sort()) {
        const name = byLowerCase.get(key.toLowerCase())
        if (name === undefined) place.unknown.push(below(place, key).path)
        else if (key === name || !Object.hasOwn(value, name)) given.set(name, value[key])
      }
      const entries = Object.keys(fields).map((name) => [name, readField(fields[name], given.get(name), below(place, name))])
      return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined))
    },
  }
}

/** `value` is undefined when the field is not given. */
function readField(field: Shape | Field | undefined, value: unknown, place: Place): unknown {
  if (!field) return undefined
  const { shape, embedded } = 'shape' in field ? field : { shape: field, embedded: false }
  if (value === null || value === undefined) return shape.always ? shape.zero : undefined
  const read = shape.read(value, embedded ? { ...place, convert: false } : place)
  return shape.pointer || !isZero(read) ? read : undefined
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return value === undefined || value === '' || value === false || value === 0 || (isMap(value) && Object.keys(value).length === 0)
}

function below(place: Place, key: string): Place {
  return { ...place, path: place.path === '' ? key : `${place.path}.${key}` }
}

/** The message names the type of what was found, never the value: it may be a secret. */
function wrong(place: Place, expected: string, value: unknown, hint = ''): undefined {
  const found = Array.isArray(value)
    ? 'a list'
    : isMap(value)
      ? 'a map'
      : { string: 'text', number: 'a number', boolean: 'true or false' }[typeof value as string]
  place.problems.push(`${place.path || 'the file'} must be ${expected}, not ${found ?? 'empty'}${hint}`)
  return undefined
}
