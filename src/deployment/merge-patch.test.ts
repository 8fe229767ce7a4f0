import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergePatch } from './merge-patch.ts'

type Fields = Record<string, unknown>

/** RFC 7396, as an API server applies it. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Fields = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = apply(result[key], value)
  }
  return result
}

const key = fc.constantFrom('a', 'b', 'c')
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ max: 2 }),
    fc.constantFrom('x', 'y', true),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}))
const object = fc.dictionary(key, json.value, { maxKeys: 3, noNullPrototype: true })

test('applied to the one it gives the other', () => {
  fc.assert(fc.property(object, object, (from, to) => void expect(apply(from, mergePatch(from, to) ?? {})).toEqual(to)))
})

test('between equal objects there is none', () => {
  fc.assert(fc.property(object, (one) => void expect(mergePatch(one, structuredClone(one))).toBeUndefined()))
  expect(mergePatch({ a: undefined, b: null, c: [1] }, { c: [1] })).toBeUndefined()
})
