import { expect, test } from 'vitest'
import { patchObject } from './patch-object.ts'

test('a list is a JSON patch and leaves the original alone', () => {
  const base = { data: { a: '1', b: '2' } }
  const patch = [
    { op: 'replace', path: '/data/a', value: '3' },
    { op: 'remove', path: '/data/b' },
  ]
  expect(patchObject(base, patch)).toEqual({ data: { a: '3' } })
  expect(base).toEqual({ data: { a: '1', b: '2' } })
})

test('a JSON patch that does not fit is an error', () => {
  expect(() => patchObject({}, [{ op: 'remove', path: '/data/b' }])).toThrow('there is nothing at the path "/data/b"')
})

test('kinds of others are merged without knowing their lists', () => {
  const base = { apiVersion: 'example.org/v1', kind: 'Widget', spec: { parts: [{ name: 'a', size: 1 }] } }
  expect(patchObject(base, { spec: { parts: [{ name: 'a' }] } })).toMatchObject({ spec: { parts: [{ name: 'a' }] } })
})

test('lists of built-in kinds are merged by their keys', () => {
  const base = { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 80, targetPort: 8080 }] } }
  expect(patchObject(base, { spec: { ports: [{ port: 443 }] } })).toMatchObject({
    spec: { ports: [{ port: 80, targetPort: 8080 }, { port: 443 }] },
  })
})
