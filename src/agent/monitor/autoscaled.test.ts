import { expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { autoscalersOf, isAutoscaled } from './autoscaled.ts'

function web(replicas: number): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'app' }, spec: { replicas } } as KubeObject
}

function scaler(target: object, more: object = {}): KubeObject {
  const spec = { maxReplicas: 5, scaleTargetRef: { kind: 'Deployment', name: 'web', ...target }, ...more }
  return { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h', namespace: 'app' }, spec } as KubeObject
}

test.each([
  ['any version', {}, {}, 4, true],
  ['the version', { apiVersion: 'apps/v1' }, {}, 5, true],
  ['another version', { apiVersion: 'extensions/v1beta1' }, {}, 4, false],
  ['another name', { name: 'other' }, {}, 4, false],
  ['another kind', { kind: 'StatefulSet' }, {}, 4, false],
  ['too many', {}, {}, 6, false],
  ['fewer than one', {}, {}, 0, false],
  ['fewer than it allows', {}, { minReplicas: 2 }, 1, false],
])('an autoscaler of %s', (_, target, more, replicas, expected) => {
  expect(isAutoscaled(web(replicas), autoscalersOf([web(1), scaler(target, more)]))).toBe(expected)
})
