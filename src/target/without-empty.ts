// Options and what stands beside them as Go Fleet stores them: fields that say nothing are left out, blocks that are present stay even if they are empty.
/** Keys of the maps whose contents are data: an empty text or a false in them means something. */
const DATA = new Set(['values', 'templateValues', 'namespaceLabels', 'namespaceAnnotations', 'matchLabels', 'conditions'])
/** Maps that vanish when they are empty; `values: {}` stays. */
const VANISHING = new Set(['templateValues', 'namespaceLabels', 'namespaceAnnotations', 'matchLabels'])
/** Fields whose false means something else than their absence. */
const THREE_STATE = new Set(['createNamespace'])

/** A copy without empty texts, zeros, falses, nulls and empty lists, at all levels but not inside of values and labels. */
export function withoutEmpty<T extends object>(value: T): T {
  return compact(value) as T
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .map(([key, field]) => [key, DATA.has(key) ? field : compact(field)] as const)
    .filter(([key, field]) => says(key, field))
  return Object.fromEntries(entries)
}

function says(key: string, value: unknown): boolean {
  if (value === false) return THREE_STATE.has(key)
  if (value === undefined || value === null || value === '' || value === 0) return false
  if (Array.isArray(value)) return value.length > 0
  return !(VANISHING.has(key) && Object.keys(value).length === 0)
}
