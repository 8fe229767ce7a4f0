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
    [{ a: [{ name: 'x' }] }, { a: [{ name: 'x', added: 1 }] }, false],
    [{ a: [{ name: 'x', b: [] }] }, { a: [{ name: 'x', c: null }] }, true],
    [{ m: [{ name: 'x' }] }, { m: [{ name: 'x', added: 1 }] }, true],
    [{ m: [{ a: [{ b: 1 }] }] }, { m: [{ a: [{ b: 1, c: 2 }] }] }, false],
    [{ a: [{ m: [{ b: 1 }] }] }, { a: [{ m: [{ b: 1, c: 2 }] }] }, false],
    [{ a: [1] }, { a: [1, 2] }, false],
    [{ a: null, c: [] }, {}, true],
    [{ a: {} }, {}, false],
    [{ a: {} }, { a: { b: 1 } }, true],
    [{ a: [] }, { a: [1] }, false],
    [{ a: '' }, {}, false],
    [{ a: 0 }, { a: false }, false],
  ])('%j in %j: %j', (wanted, live, expected) => {
    expect(isSubset(wanted, live, (key) => key === 'm')).toBe(expected)
  })

  test('all lists are merged unless somebody says otherwise, and deep values take no longer than flat ones', () => {
    expect(isSubset({ a: [{ b: [{ c: 1 }] }] }, { a: [{ b: [{ c: 1, d: 2 }], e: 3 }] })).toBe(true)
    const deep = (leaf: unknown) => Array.from({ length: 60 }).reduce<unknown>((inner) => ({ list: [{ inner, other: 1 }] }), leaf)
    expect(isSubset(deep(1), deep(1), () => false)).toBe(true)
    expect(isSubset(deep(1), deep(2), () => false)).toBe(false)
  })
})
