import { expect, test } from 'vitest'
import type { BundleDeploymentOptions } from '../api/bundle-deployment-options.ts'
import type { LabelSelector } from '../lib/kube/types.ts'
import { checkVectors } from '../testing/vectors.ts'
import { mergeOptions, mergeSelectors } from './merge-options.ts'

type Input = { base: BundleDeploymentOptions; custom: BundleDeploymentOptions } | { selectors: (LabelSelector | null)[] }

checkVectors('merge-options.json', (input: Input): unknown =>
  'selectors' in input ? (mergeSelectors(input.selectors) ?? null) : mergeOptions(input.base, input.custom),
)

test('values may have keys that mean something to the language', () => {
  const base = JSON.parse('{"helm":{"values":{"__proto__":{"a":1},"constructor":{"a":1}}}}')
  const custom = JSON.parse('{"helm":{"values":{"__proto__":{"b":2},"constructor":{"b":2},"toString":3}}}')
  const values = mergeOptions(base, custom).helm?.values ?? {}
  expect(JSON.stringify(values)).toBe('{"__proto__":{"a":1,"b":2},"constructor":{"a":1,"b":2},"toString":3}')
  expect(Object.getPrototypeOf(values)).toBe(Object.prototype)
})

test('neither side is changed', () => {
  const base: BundleDeploymentOptions = {
    yaml: { overlays: ['a'] },
    helm: { values: { a: { b: 1 } }, valuesFrom: [{ secretKeyRef: { name: 's' } }] },
  }
  const custom: BundleDeploymentOptions = { yaml: { overlays: ['b'] }, helm: { values: { a: { c: 2 } }, valuesFrom: [{}] } }
  const before = structuredClone([base, custom])
  mergeOptions(base, custom)
  expect([base, custom]).toEqual(before)
})

test('of equal entries of the bundle the last one is replaced', () => {
  const base: BundleDeploymentOptions = {
    downstreamResources: [
      { kind: 'Secret', name: 'a' },
      { kind: 'ConfigMap', name: 'a' },
      { kind: 'Secret', name: 'a' },
    ],
  }
  expect(mergeOptions(base, { downstreamResources: [{ kind: 'secret', name: 'a' }] }).downstreamResources).toEqual([
    { kind: 'Secret', name: 'a' },
    { kind: 'ConfigMap', name: 'a' },
    { kind: 'secret', name: 'a' },
  ])
})
