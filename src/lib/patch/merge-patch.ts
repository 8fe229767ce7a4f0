// JSON merge patches (RFC 7396).

import { isMap } from '../json/is-map.ts'
import { fieldOf, setField } from './fields.ts'

/** What results when a merge patch is applied: null removes, objects merge, anything else replaces. Nothing given is changed. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch
  const result = isMap(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else setField(result, key, applyMergePatch(fieldOf(result, key), value))
  }
  return result
}
