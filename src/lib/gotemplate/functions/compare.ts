// eq, ne, lt, le, gt, ge. Integers of any type compare with each other; an integer and a float do not.

import { compareUtf8 } from '../../json/utf8.ts'
import { fail } from '../errors.ts'
import { GoComplex, GoObject, integerOf, isNil, kindName, typeName, type Value } from '../values/value.ts'
import { define, type FunctionTable } from './define.ts'

/** Functions that compare. */
export const COMPARISONS: FunctionTable = {
  eq: define(['value', '...value'], (value, ...others) => {
    if (others.length === 0) fail('missing argument for comparison')
    return others.some((other) => isEqual(value, other))
  }),
  ne: define(['value', 'value'], (left, right) => !isEqual(left, right)),
  lt: define(['value', 'value'], isLess),
  le: define(['value', 'value'], (left, right) => isLess(left, right) || isEqual(left, right)),
  gt: define(['value', 'value'], (left, right) => !(isLess(left, right) || isEqual(left, right))),
  ge: define(['value', 'value'], (left, right) => !isLess(left, right)),
}

type BasicKind = 'bool' | 'int' | 'float' | 'string' | 'complex' | undefined

function basicKind(value: Value): BasicKind {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    case 'number':
      return 'float'
    default:
      if (integerOf(value) !== undefined) return 'int'
      return value instanceof GoComplex ? 'complex' : undefined
  }
}

function isEqual(left: Value, right: Value): boolean {
  const [kind, other] = [basicKind(left), basicKind(right)]
  if (kind !== other) {
    if (left !== null && right !== null) fail(incompatible(left, right))
    return false
  }
  if (kind === 'int') return integerOf(left) === integerOf(right)
  if (kind === 'complex') return equalComplex(left, right)
  return kind === undefined ? equalObjects(left, right) : left === right
}

function equalComplex(left: Value, right: Value): boolean {
  return left instanceof GoComplex && right instanceof GoComplex && left.real === right.real && left.imaginary === right.imaginary
}

function equalObjects(left: Value, right: Value): boolean {
  if (left !== null && right !== null && kindName(left) !== kindName(right)) {
    fail(`non-comparable types ${typeName(left)}, ${typeName(right)}`)
  }
  if (isNil(left) || isNil(right)) return isNil(left) === isNil(right)
  if (!(left instanceof GoObject && right instanceof GoObject)) fail(`non-comparable type ${typeName(right)}`)
  // Go compares pointers by what they point to being the same thing
  return left.kind === 'ptr' ? left === right : left.type === right.type && left.equals(right)
}

function isLess(left: Value, right: Value): boolean {
  const [kind, other] = [basicKind(left), basicKind(right)]
  if (kind === undefined || other === undefined) fail('invalid type for comparison')
  if (kind !== other) fail(incompatible(left, right))
  if (typeof left === 'number' && typeof right === 'number') return left < right
  if (typeof left === 'string' && typeof right === 'string') return compareUtf8(left, right) < 0
  const [first, second] = [integerOf(left), integerOf(right)]
  return first === undefined || second === undefined ? fail('invalid type for comparison') : first < second
}

function incompatible(left: Value, right: Value): string {
  return `incompatible types for comparison: ${typeName(left)} and ${typeName(right)}`
}
