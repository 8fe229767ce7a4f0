// Applies one patch to one object: JSON patch, merge patch, or the strategic merge of built-in kinds (spec 7.2).

import { isMap } from '../../lib/json/is-map.ts'
import type { Fields } from '../../lib/patch/fields.ts'
import { applyJsonPatch } from '../../lib/patch/json-patch.ts'
import { applyMergePatch } from '../../lib/patch/merge-patch.ts'
import { applyStrategicMerge, isBuiltInKind } from '../../lib/patch/strategic-merge.ts'

/**
 * `base` changed by `patch`. A list is a JSON patch. An object is merged; lists in it are merged by the keys of a built-in kind
 * and replaced in other kinds. Throws `PatchError` for a patch that does not fit.
 */
export function patchObject(base: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) return applyJsonPatch(base, patch)
  return isBuiltIn(base) && isMap(patch) ? applyStrategicMerge(base, base, patch) : applyMergePatch(base, patch)
}

function isBuiltIn(base: unknown): base is Fields & { apiVersion: string; kind: string } {
  if (!isMap(base) || typeof base.apiVersion !== 'string' || typeof base.kind !== 'string') return false
  return isBuiltInKind({ apiVersion: base.apiVersion, kind: base.kind })
}
