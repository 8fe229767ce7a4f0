// How sprig merges dicts: by the library mergo, which keeps what is set and fills what is empty, or overwrites.
import { fail } from '../errors.ts'
import { isTrue } from '../values/truth.ts'
import { GoMap, GoObject, type Run, type Value } from '../values/value.ts'

/** Merges a dict into another, in place. Values are shared with the source, not copied. */
export function mergeInto(target: GoMap, source: GoMap, overwrite: boolean, meter: Run['meter'], level = 0): void {
  meter.deep(level)
  meter.step(1 + source.entries.size)
  for (const [key, value] of source.entries) mergeEntry(target, key, value, overwrite, meter, level)
}

function mergeEntry(target: GoMap, key: string, value: Value, overwrite: boolean, meter: Run['meter'], level: number): void {
  const { entries } = target
  const before = entries.get(key)
  if (value === null || value === undefined) {
    if (overwrite) entries.set(key, null)
    return
  }
  if (value instanceof GoMap && before instanceof GoMap && before !== value) {
    if (before.type !== value.type && before.type !== 'map[string]interface {}')
      fail(`a ${value.type} cannot be merged into a ${before.type}`)
    if (!before.isNil) mergeInto(before, value, overwrite, meter, level + 1)
    if (!isEmpty(before)) return
  }
  if (overwrite || !entries.has(key) || isEmpty(before)) entries.set(key, value)
}

function isEmpty(value: Value): boolean {
  return !(value instanceof GoObject) && !isTrue(value)
}
