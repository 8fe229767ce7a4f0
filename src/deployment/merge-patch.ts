// The smallest merge patch (RFC 7396) between two versions of an object.

import { isSame } from '../lib/controller/status.ts'
import { isMap } from '../lib/json/is-map.ts'

type Fields = Record<string, unknown>

/**
 * A merge patch that turns `from` into `to`: lists are replaced as a whole, null removes a field. Undefined if nothing differs.
 * Fields that are undefined or null count as absent.
 */
export function mergePatch(from: object, to: object): Fields | undefined {
  const patch: Fields = {}
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const change = difference((from as Fields)[key] ?? undefined, (to as Fields)[key] ?? undefined)
    if (change !== undefined) patch[key] = change
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

/** The value to put into the patch; undefined if there is nothing to change. */
function difference(from: unknown, to: unknown): unknown {
  if (to === undefined) return from === undefined ? undefined : null
  if (isMap(from) && isMap(to)) return mergePatch(from, to)
  return isSame(from, to) ? undefined : to
}
