// Helm values are data of the user: any key may occur in them, also `__proto__`.
import { isMap } from '../lib/json/is-map.ts'

/** A map of helm values. */
export type Values = Record<string, unknown>

/** Sets an own property, whatever its name. */
export function setKey(map: Values, key: string, value: unknown): void {
  if (key !== '__proto__') map[key] = value
  else Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
}

/** Own property of a map. */
export function getKey(map: Values, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/**
 * Deep merge of two value maps: `custom` wins, lists and scalars are replaced, null too (spec 4.4). Undefined or null if both are absent.
 * Neither argument is changed; the result shares what is equal.
 */
export function mergeValues<B extends Values | null | undefined, C extends Values | null | undefined>(base: B, custom: C): Values | B | C {
  if (!custom) return base
  if (!base) return custom
  const merged: Values = { ...base }
  for (const [key, value] of Object.entries(custom)) {
    const before = getKey(base, key)
    setKey(merged, key, isMap(before) && isMap(value) ? mergeValues(before, value) : value)
  }
  return merged
}
