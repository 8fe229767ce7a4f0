import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkVectors } from '../../testing/vectors.ts'
import { PatchError } from './error.ts'
import type { Fields } from './fields.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicMerge, isBuiltInKind } from './strategic-merge.ts'

interface PatchInput {
  readonly document: string
  readonly kind: 'json-patch' | 'merge-patch'
  readonly patch: string
}
checkVectors('json-patch.json', ({ document, kind, patch }: PatchInput) =>
  (kind === 'json-patch' ? applyJsonPatch : applyMergePatch)(JSON.parse(document), JSON.parse(patch)),
)

interface StrategicInput {
  readonly apiVersion: string
  readonly kind: string
  readonly document: Fields
  readonly patch: Fields
}
checkVectors('strategic-merge.json', ({ document, patch, ...kind }: StrategicInput) => applyStrategicMerge(kind, document, patch))

const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
const containers = (...items: unknown[]) => ({ spec: { template: { spec: { containers: items } } } })

describe('strategic merge', () => {
  test('knows built-in kinds only', () => {
    expect(isBuiltInKind(DEPLOYMENT)).toBe(true)
    expect(isBuiltInKind({ apiVersion: 'example.com/v1', kind: 'Widget' })).toBe(false)
    expect(isBuiltInKind({ apiVersion: 'v1', kind: '__proto__' })).toBe(false)
    expect(() => applyStrategicMerge({ apiVersion: 'example.com/v1', kind: 'Widget' }, {}, {})).toThrow(PatchError)
  })

  test('deletes an item, and replaces a list', () => {
    const document = containers({ name: 'a' }, { name: 'b' })
    expect(applyStrategicMerge(DEPLOYMENT, document, containers({ name: 'a', $patch: 'delete' }))).toEqual(containers({ name: 'b' }))
    expect(applyStrategicMerge(DEPLOYMENT, document, containers({ $patch: 'replace' }, { name: 'c' }))).toEqual(containers({ name: 'c' }))
  })

  test('keeps the places of items that the patch does not name', () => {
    const patch = containers({ name: 'new' }, { name: 'a', image: 'a:2' })
    expect(applyStrategicMerge(DEPLOYMENT, containers({ name: 'a' }, { name: 'b' }), patch)).toEqual(
      containers({ name: 'b' }, { name: 'new' }, { name: 'a', image: 'a:2' }),
    )
  })

  test('takes finalizers together, removes some, and follows an order', () => {
    const document = { metadata: { finalizers: ['a', 'b'] } }
    const merge = (metadata: Fields) => applyStrategicMerge(DEPLOYMENT, document, { metadata })
    expect(merge({ finalizers: ['b', 'c'] })).toEqual({ metadata: { finalizers: ['a', 'b', 'c'] } })
    expect(merge({ '$deleteFromPrimitiveList/finalizers': ['a'] })).toEqual({ metadata: { finalizers: ['b'] } })
    expect(merge({ '$setElementOrder/finalizers': ['b', 'a'] })).toEqual({ metadata: { finalizers: ['b', 'a'] } })
  })

  test('says where a patch does not fit', () => {
    expect(() => applyStrategicMerge(DEPLOYMENT, containers({ name: 'a' }), containers({ image: 'x' }))).toThrow(
      'Deployment.spec.template.spec.containers: an item lacks the field name',
    )
  })
})

describe('no patch', () => {
  const json = fc.jsonValue({ maxDepth: 4 })
  const fields = fc.dictionary(
    fc.constantFrom('metadata', 'spec', 'template', 'containers', '$patch', '$retainKeys', '__proto__', 'name'),
    json,
  )

  test('changes what it was given, or throws anything but a PatchError', () => {
    fc.assert(
      fc.property(json, fc.oneof(json, fc.array(fc.record({ op: fc.string(), path: fc.string(), value: json }))), (document, patch) => {
        const before = structuredClone(document)
        for (const apply of [() => applyJsonPatch(document, patch), () => applyMergePatch(document, patch)]) {
          try {
            apply()
          } catch (error) {
            expect(error).toBeInstanceOf(PatchError)
          }
        }
        expect(document).toEqual(before)
      }),
    )
    fc.assert(
      fc.property(fields, fields, (document, patch) => {
        try {
          applyStrategicMerge(DEPLOYMENT, document, patch)
        } catch (error) {
          expect(error).toBeInstanceOf(PatchError)
        }
      }),
    )
  })

  test('touches the prototype of objects', () => {
    const evil = JSON.parse('{"__proto__":{"polluted":true}}')
    applyMergePatch({}, evil)
    expect(() => applyJsonPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: true }])).toThrow(PatchError)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
