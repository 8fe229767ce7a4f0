// RFC 7396 merge patches: the shape in which drift is reported.

type Json = unknown

function isMap(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The merge patch that turns `from` into `to`; undefined when they are equal. Keys are sorted. */
export function mergePatch(from: Json, to: Json): Json | undefined {
  if (!isMap(from) || !isMap(to)) return deepEqual(from, to) ? undefined : to
  // entries, not assignments: a key may be called __proto__
  const patch: [string, Json][] = []
  for (const key of [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()) {
    if (!Object.hasOwn(to, key)) patch.push([key, null])
    else if (!Object.hasOwn(from, key)) patch.push([key, to[key]])
    else {
      const inner = mergePatch(from[key], to[key])
      if (inner !== undefined) patch.push([key, inner])
    }
  }
  return patch.length > 0 ? Object.fromEntries(patch) : undefined
}

/**
 * Whether everything that `wanted` says is so in `live`: maps may have more keys, lists must be equal element by element. So may the elements of
 * lists whose key `isMerged`, as the cluster merges them; those of other lists are replaced with the list, so that what they have more is a change.
 * Null and empty lists mean nothing. An empty map that is not there may mean something (`emptyDir: {}`).
 */
export function isSubset(wanted: Json, live: Json, isMerged: (key: string) => boolean = () => true, key = ''): boolean {
  if (isNothing(wanted) && (live === undefined || isNothing(live))) return true
  if (Array.isArray(wanted)) {
    if (!isMerged(key)) return meansSame(wanted, live)
    return Array.isArray(live) && wanted.length === live.length && wanted.every((value, index) => isSubset(value, live[index], isMerged))
  }
  if (!isMap(wanted)) return wanted === live
  return isMap(live) && Object.entries(wanted).every(([name, value]) => isSubset(value, entryOf(live, name), isMerged, name))
}

/** Equal, but for nulls and empty lists. */
function meansSame(left: Json, right: Json): boolean {
  if (isNothing(left) || isNothing(right)) return (left === undefined || isNothing(left)) && (right === undefined || isNothing(right))
  if (Array.isArray(left))
    return Array.isArray(right) && left.length === right.length && left.every((value, index) => meansSame(value, right[index]))
  if (!isMap(left) || !isMap(right)) return left === right
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...keys].every((key) => meansSame(entryOf(left, key), entryOf(right, key)))
}

function entryOf(map: Readonly<Record<string, Json>>, key: string): Json {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

function isNothing(value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

export function deepEqual(left: Json, right: Json): boolean {
  if (left === right) return true
  if (Array.isArray(left))
    return Array.isArray(right) && left.length === right.length && left.every((value, index) => deepEqual(value, right[index]))
  if (!isMap(left) || !isMap(right)) return false
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && deepEqual(left[key], right[key]))
}

/** A copy without map entries that are null: charts render them, clusters drop them. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  )
}
