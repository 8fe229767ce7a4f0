import { GoComplex, GoInt, GoList, GoMap, GoObject, type Run, type Value } from './value.ts'

/** Go's `reflect.DeepEqual`: types must be equal too, an int is no float, a nil list no empty one. Counts a step for each pair of values. */
export function deepEqual(left: Value, right: Value, meter: Run['meter'], level = 0): boolean {
  meter.step()
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return (left ?? null) === (right ?? null)
  if (left instanceof GoList && right instanceof GoList) return equalLists(left, right, meter, level)
  if (left instanceof GoMap && right instanceof GoMap) return equalMaps(left, right, meter, level)
  if (left instanceof GoInt && right instanceof GoInt) return left.type === right.type && left.value === right.value
  if (left instanceof GoComplex && right instanceof GoComplex) return left.real === right.real && left.imaginary === right.imaginary
  return left instanceof GoObject && right instanceof GoObject && left.type === right.type && left.equals(right)
}

function equalLists(left: GoList, right: GoList, meter: Run['meter'], level: number): boolean {
  if (left === right) return true
  if (left.type !== right.type || left.isNil !== right.isNil || left.items.length !== right.items.length) return false
  meter.deep(level)
  return left.items.every((item, index) => deepEqual(item, right.items[index], meter, level + 1))
}

function equalMaps(left: GoMap, right: GoMap, meter: Run['meter'], level: number): boolean {
  if (left === right) return true
  if (left.type !== right.type || left.isNil !== right.isNil || left.entries.size !== right.entries.size) return false
  meter.deep(level)
  for (const [key, value] of left.entries) {
    if (!right.entries.has(key) || !deepEqual(value, right.entries.get(key), meter, level + 1)) return false
  }
  return true
}
