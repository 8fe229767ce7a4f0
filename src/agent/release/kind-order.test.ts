import { expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { inInstallOrder, installGroups, removalGroups } from './kind-order.ts'

const object = (kind: string, name = 'x'): KubeObject => ({ apiVersion: 'v1', kind, metadata: { name } })
const kinds = (groups: KubeObject[][]) => groups.map((group) => group.map(({ kind }) => kind).join())

const mixed = ['Zebra', 'Deployment', 'Service', 'Apple', 'ConfigMap', 'Namespace', 'ValidatingWebhookConfiguration', 'ConfigMap'].map(
  (kind) => object(kind),
)

test('namespaces come first, webhooks late, unknown kinds last and by name', () => {
  expect(kinds(installGroups(mixed))).toEqual([
    'Namespace',
    'ConfigMap,ConfigMap',
    'Service',
    'Deployment',
    'ValidatingWebhookConfiguration',
    'Apple',
    'Zebra',
  ])
})

test('removal goes the other way, services before what they lead to, unknown kinds last', () => {
  expect(kinds(removalGroups([...mixed, object('StatefulSet'), object('CronJob'), object('Ingress')]))).toEqual([
    'ValidatingWebhookConfiguration',
    'Ingress',
    'Service',
    'CronJob',
    'StatefulSet',
    'Deployment',
    'ConfigMap,ConfigMap',
    'Namespace',
    'Apple',
    'Zebra',
  ])
})

test('objects of a kind keep their order', () => {
  const list = ['c', 'a', 'b'].map((name) => object('Secret', name))
  expect(inInstallOrder(list)).toEqual(list)
})
