import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyMergePatch } from '../../lib/patch/merge-patch.ts'
import { deepEqual, isSubset, mergePatch, withoutNulls } from './merge-patch.ts'

const json = fc.jsonValue({ maxDepth: 4 }).map(withoutNulls)
const map = fc.dictionary(fc.string({ maxLength: 4 }), json)

test('a merge patch leads from one object to the other', () => {
  fc.assert(
    fc.property(map, map, (from, to) => {
      const patch = mergePatch(from, to)
      const result = patch === undefined ? from : applyMergePatch(from, patch)
      expect(deepEqual(withoutNulls(result), withoutNulls(to))).toBe(true)
    }),
  )
})

test('equal objects have no patch', () => {
  fc.assert(fc.property(map, (value) => mergePatch(value, structuredClone(value)) === undefined))
})

test('a key that is called __proto__ is a key like others', () => {
  const to = JSON.parse('{"a":{"__proto__":"x"}}')
  const patch = mergePatch({ a: {} }, to)
  expect(JSON.stringify(patch)).toBe('{"a":{"__proto__":"x"}}')
  expect(JSON.stringify(applyMergePatch({ a: {} }, patch))).toBe(JSON.stringify(to))
  expect(isSubset(to, { a: {} })).toBe(false)
})

describe('isSubset', () => {
  test('everything is contained in itself', () => {
    fc.assert(fc.property(map, (value) => isSubset(value, structuredClone(value))))
  })

  test.each([
    [{ a: 1 }, { a: 1, b: 2 }, true],
    [{ a: { b: 1 } }, { a: { b: 2 } }, false],
    [{ a: [{ name: 'x' }] }, { a: [{ name: 'x', added: 1 }] }, true],
    [{ a: [1] }, { a: [1, 2] }, false],
    [{ a: null, c: [] }, {}, true],
    [{ a: {} }, {}, false],
    [{ a: {} }, { a: { b: 1 } }, true],
    [{ a: [] }, { a: [1] }, false],
    [{ a: '' }, {}, false],
    [{ a: 0 }, { a: false }, false],
  ])('%j in %j: %j', (wanted, live, expected) => {
    expect(isSubset(wanted, live)).toBe(expected)
  })
})
