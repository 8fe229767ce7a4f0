import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { ignoresMissing, normalize } from './normalize.ts'

const settings = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'app', uid: 'u', resourceVersion: '7', labels: { a: 'b' } },
  data: { colour: 'red', size: 'small' },
} as KubeObject
const at = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', namespace: 'app' }

describe('normalize', () => {
  test('keeps what a user writes and drops what the cluster writes', () => {
    const live = {
      ...settings,
      status: { x: 1 },
      metadata: { ...settings.metadata, annotations: { 'objectset.rio.cattle.io/id': 'default-a' } },
    } as KubeObject
    expect(normalize(live, [])).toEqual({
      metadata: { name: 'settings', namespace: 'app', labels: { a: 'b' } },
      data: { colour: 'red', size: 'small' },
    })
  })

  test('does not change the object it is given', () => {
    const copy = structuredClone(settings)
    normalize(settings, [{ ...at, jsonPointers: ['/data'] }])
    expect(settings).toEqual(copy)
  })

  test('hides what pointers and operations name, on objects they concern', () => {
    expect(normalize(settings, [{ ...at, jsonPointers: ['/data/colour'] }]).data).toEqual({ size: 'small' })
    expect(normalize(settings, [{ ...at, operations: [{ op: 'replace', path: '/data/colour', value: 'any' }] }]).data).toEqual({
      colour: 'any',
      size: 'small',
    })
    expect(normalize(settings, [{ apiVersion: 'v1', kind: 'ConfigMap', jsonPointers: ['/data/colour'] }]).data).toEqual({ size: 'small' })
    expect(normalize(settings, [{ ...at, name: 'other', jsonPointers: ['/data/colour'] }]).data).toEqual({ colour: 'red', size: 'small' })
    expect(normalize(settings, [{ ...at, apiVersion: 'x/v1', jsonPointers: ['/data/colour'] }]).data).toEqual({
      colour: 'red',
      size: 'small',
    })
  })

  test('pointers concern all objects of a kind, operations only the very one', () => {
    const remove = { operations: [{ op: 'remove', path: '/data/colour' }] }
    const untouched = { colour: 'red', size: 'small' }
    expect(normalize(settings, [{ ...at, ...remove, name: undefined }]).data).toEqual(untouched)
    expect(normalize(settings, [{ ...at, ...remove, namespace: undefined }]).data).toEqual(untouched)
    expect(normalize(settings, [{ ...at, ...remove, apiVersion: 'v2' }]).data).toEqual(untouched)
    expect(normalize(settings, [{ ...at, ...remove }]).data).toEqual({ size: 'small' })
    expect(normalize(settings, [{ ...at, apiVersion: 'v2', namespace: undefined, jsonPointers: ['/data/colour'] }]).data).toEqual({
      size: 'small',
    })
  })

  test('pointers name groups and kinds by patterns, too', () => {
    const pointers = { jsonPointers: ['/data/colour'] }
    const hides = (apiVersion: string, kind: string) =>
      !('colour' in (normalize(settings, [{ apiVersion, kind, ...pointers }]).data as object))
    expect(hides('v1', '*')).toBe(true)
    expect(hides('*/*', 'Config*')).toBe(true)
    expect(hides('*', '{Secret,ConfigMap}')).toBe(true)
    expect(hides('apps/*', '*')).toBe(false)
    expect(hides('v1', '[')).toBe(false)
    expect(hides('v1', '')).toBe(false)
  })

  test('passes over an operation on something that is not there', () => {
    expect(
      normalize(settings, [
        {
          ...at,
          operations: [
            { op: 'remove', path: '/spec/x/y' },
            { op: 'remove', path: '/data/size' },
          ],
        },
      ]).data,
    ).toEqual({ colour: 'red' })
  })

  test('drops what controllers and tools note for themselves', () => {
    const annotations = { 'deployment.kubernetes.io/revision': '7', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    const noted = { ...settings, metadata: { ...settings.metadata, annotations, labels: {} } } as KubeObject
    expect(normalize(noted, []).metadata).toEqual({ name: 'settings', namespace: 'app' })
  })
})

describe('ignoresMissing', () => {
  const ignore = (name?: string) => [{ ...at, name, operations: [{ op: 'ignore' }] }]

  test.each([
    [undefined, true],
    ['settings', true],
    ['set.*', true],
    ['^sett', true],
    ['ting', false],
    ['tings$', true],
    ['s-', false],
    ['^ting', false],
    ['settings-x', false],
    ['(', false],
  ])('with the name %s: %s', (name, expected) => {
    expect(ignoresMissing(ignore(name), settings)).toBe(expected)
  })

  test('needs the operation and the namespace', () => {
    expect(ignoresMissing([{ ...at, jsonPointers: ['/data'] }], settings)).toBe(false)
    expect(ignoresMissing([{ ...at, namespace: 'other', operations: [{ op: 'ignore' }] }], settings)).toBe(false)
  })
})
