// Typed looks into objects of unknown shape.

/** Any JSON object. */
export type PlainObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path, or undefined where the path ends early. */
export function valueAt(object: unknown, ...path: readonly string[]): unknown {
  let value = object
  for (const key of path) {
    if (!isObject(value)) return undefined
    value = value[key]
  }
  return value
}

export function objectAt(object: unknown, ...path: readonly string[]): PlainObject | undefined {
  const value = valueAt(object, ...path)
  return isObject(value) ? value : undefined
}

export function listAt(object: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = valueAt(object, ...path)
  return Array.isArray(value) ? value : []
}

export function numberAt(object: unknown, ...path: readonly string[]): number | undefined {
  const value = valueAt(object, ...path)
  return typeof value === 'number' ? value : undefined
}

/** The text at a path, '' when there is none. */
export function textAt(object: unknown, ...path: readonly string[]): string {
  const value = valueAt(object, ...path)
  return typeof value === 'string' ? value : ''
}
