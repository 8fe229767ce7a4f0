import { GoComplex, GoInt, GoList, GoMap, type Value } from './value.ts'

/** What `if` makes of a value: false for false, zero, nil and everything empty. */
export function isTrue(value: Value): boolean {
  if (typeof value !== 'object') return value !== undefined && value !== false && value !== 0 && value !== 0n && value !== ''
  if (value === null) return false
  if (value instanceof GoList) return value.items.length > 0
  if (value instanceof GoMap) return value.entries.size > 0
  if (value instanceof GoInt) return value.value !== 0n
  if (value instanceof GoComplex) return value.real !== 0 || value.imaginary !== 0
  return true
}
