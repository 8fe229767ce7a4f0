import { expect, test } from 'vitest'
import { changesSums } from './deployment-change.ts'
import { deployment, READY } from './objects.testing.ts'

const old = deployment('one', 'app', READY)
const modified = (object: typeof old) => changesSums({ type: 'modified', object, old })

test('coming and going counts', () => {
  expect(changesSums({ type: 'added', object: old })).toBe(true)
  expect(changesSums({ type: 'deleted', object: old, old })).toBe(true)
})

test('what a sum is made of counts', () => {
  expect(modified({ ...old, status: { ...READY, ready: false } })).toBe(true)
  expect(modified({ ...old, status: { ...READY, conditions: [{ type: 'Deployed', status: 'True' }] } })).toBe(true)
  expect(modified({ ...old, spec: { ...old.spec, stagedDeploymentID: 'next' } })).toBe(true)
  expect(modified({ ...old, metadata: { ...old.metadata, deletionTimestamp: 'now' } })).toBe(true)
  expect(modified({ ...old, metadata: { ...old.metadata, labels: {} } })).toBe(true)
})

test('what only tables show does not', () => {
  expect(modified({ ...old, status: { ...READY, display: { state: 'Ready' }, release: 'ns/app:2' } })).toBe(false)
  expect(modified({ ...old, metadata: { ...old.metadata, resourceVersion: '2', annotations: { a: 'b' } } })).toBe(false)
})
