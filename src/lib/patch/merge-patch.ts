// JSON merge patches (RFC 7396).
import { fieldOf, isFields, setField } from './fields.ts'

/** What results when a merge patch is applied: null removes, objects merge, anything else replaces. Nothing given is changed. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result = isFields(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else setField(result, key, applyMergePatch(fieldOf(result, key), value))
  }
  return result
}
