import { expect, test } from 'vitest'
import { checkVectors } from '../testing/vectors.ts'
import type { ModifiedStatus, NonReadyStatus } from './status.ts'
import { modifiedText, nonReadyText } from './status-text.ts'

checkVectors('bundle-states.json', ({ status }: { kind: string; status: ModifiedStatus }) => modifiedText(status), {
  only: ({ kind }) => kind === 'modified-text',
})
checkVectors('bundle-states.json', ({ status }: { kind: string; status: NonReadyStatus }) => nonReadyText(status), {
  only: ({ kind }) => kind === 'non-ready-text',
})

const object = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: 'a' }

test('modified objects', () => {
  expect(modifiedText({ ...object, missing: true, exist: true })).toBe('configmap.v1 ns/a is not owned by us')
  expect(modifiedText({ ...object, delete: true })).toBe('configmap.v1 ns/a extra')
  expect(modifiedText({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'b', delete: true })).toBe(
    'clusterrole.rbac.authorization.k8s.io b extra',
  )
})

test('objects that are not ready', () => {
  expect(nonReadyText({ ...object, summary: { state: 'pending', message: ['not shown'] } })).toBe('configmap.v1 ns/a pending')
  expect(nonReadyText({ ...object, summary: { state: 'x', transitioning: true, error: true, message: ['one', 'two'] } })).toBe(
    'configmap.v1 ns/a [progressing,error] one, two',
  )
})
