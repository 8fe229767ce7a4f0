// JSON objects as patches see them. A key may be called __proto__: entries are defined, never assigned.

export type Fields = Record<string, unknown>

/** The field itself, never one that is inherited. */
export function fieldOf(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined
}

export function setField(fields: Fields, key: string, value: unknown): void {
  Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true })
}
