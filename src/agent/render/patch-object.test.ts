import { expect, test } from 'vitest'
import { createSlots } from '../../lib/exec/slots.ts'
import { mergePatch, patchObject } from './patch-object.ts'

const none = { binary: '/nowhere/kustomize', home: '/nowhere', slots: createSlots(1) }

test('merges maps, replaces the rest, and removes what is null', () => {
  expect(mergePatch({ a: { b: 1, c: 2 }, list: [1], gone: 1 }, { a: { b: 3 }, list: [2], gone: null })).toEqual({
    a: { b: 3, c: 2 },
    list: [2],
  })
  expect(mergePatch('text', { a: null, b: 1 })).toEqual({ b: 1 })
})

test('a list is a JSON patch and leaves the original alone', async () => {
  const base = { data: { a: '1', b: '2' } }
  const patch = [
    { op: 'replace', path: '/data/a', value: '3' },
    { op: 'remove', path: '/data/b' },
  ]
  expect(await patchObject(base, patch, none)).toEqual({ data: { a: '3' } })
  expect(base).toEqual({ data: { a: '1', b: '2' } })
})

test('a JSON patch that does not fit is an error', async () => {
  await expect(patchObject({}, [{ op: 'remove', path: '/data/b' }], none)).rejects.toThrow()
})

test('kinds of others are merged without knowing their lists', async () => {
  const base = { apiVersion: 'example.org/v1', kind: 'Widget', spec: { parts: [{ name: 'a', size: 1 }] } }
  expect(await patchObject(base, { spec: { parts: [{ name: 'a' }] } }, none)).toMatchObject({ spec: { parts: [{ name: 'a' }] } })
})

test('built-in kinds need no help where no list is touched', async () => {
  const base = { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 1, template: { spec: { containers: [{ name: 'a' }] } } } }
  expect(await patchObject(base, { spec: { replicas: 2 } }, none)).toMatchObject({
    spec: { replicas: 2, template: { spec: { containers: [{ name: 'a' }] } } },
  })
})
