import { expect, test } from 'vitest'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError } from '../lib/kube/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { checkTargetNamespace, labelNamespace, NamespaceForbiddenError, releaseNamespace } from './target-namespace.ts'

const refusal = (status: number) => new ApiError({ status, reason: status === 409 ? 'Conflict' : 'Forbidden', message: 'refused' })

function clientOf(metadata: object | undefined, failures: { get?: number; update?: number[] } = {}) {
  const updates: KubeObject[] = []
  const refusals = [...(failures.update ?? [])]
  const find = async () => metadata && { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps', ...metadata } }
  const client = {
    find,
    async get() {
      if (failures.get) throw refusal(failures.get)
      return find()
    },
    async update(object: KubeObject) {
      const status = refusals.shift()
      if (status) throw refusal(status)
      updates.push(object)
      return object
    },
  } as unknown as KubeClient
  return { client, updates }
}

test('the namespace of a release', () => {
  expect(releaseNamespace({})).toBe('default')
  expect(releaseNamespace({ defaultNamespace: 'a' })).toBe('a')
  expect(releaseNamespace({ defaultNamespace: 'a', namespace: 'b' })).toBe('b')
})

test('a restriction demands a namespace that exists and fits', async () => {
  const options = { namespace: 'apps', allowedTargetNamespaceSelector: { matchLabels: { tenant: 'blue' } } }
  await expect(checkTargetNamespace(clientOf(undefined).client, options)).rejects.toThrow(
    'target namespace apps does not exist on downstream cluster',
  )
  await expect(checkTargetNamespace(clientOf({ labels: { tenant: 'red' } }).client, options)).rejects.toThrow(
    'target namespace apps does not match AllowedTargetNamespaceSelector (tenant=blue); namespace labels map[tenant:red]',
  )
  const invalid = { namespace: 'apps', allowedTargetNamespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Within' }] } }
  await expect(checkTargetNamespace(clientOf({}).client, invalid)).rejects.toThrow(/^invalid AllowedTargetNamespaceSelector: .*"Within"/)
  await checkTargetNamespace(clientOf({ labels: { tenant: 'blue' } }).client, options)
  await checkTargetNamespace(clientOf(undefined).client, { namespace: 'apps' })
})

test('labels and annotations become those of the options, but the protected ones', async () => {
  const { client, updates } = clientOf({
    labels: { old: '1', 'kubernetes.io/metadata.name': 'apps', 'pod-security.kubernetes.io/enforce': 'baseline' },
    annotations: { old: '1' },
  })
  await labelNamespace(client, 'apps', {
    namespaceLabels: { team: 'a', 'pod-security.kubernetes.io/enforce': 'privileged', 'pod-security.kubernetes.io/warn': 'x' },
    namespaceAnnotations: { note: '1' },
  })
  expect(updates[0]?.metadata).toMatchObject({
    labels: { team: 'a', 'kubernetes.io/metadata.name': 'apps', 'pod-security.kubernetes.io/enforce': 'baseline' },
    annotations: { note: '1' },
  })
  expect(Object.keys(updates[0]?.metadata.labels ?? {})).toHaveLength(3)
})

test('what the options do not mention, or is as it should be, is not written', async () => {
  const { client, updates } = clientOf({ labels: { team: 'a', 'kubernetes.io/metadata.name': 'apps' }, annotations: { mine: '1' } })
  await labelNamespace(client, 'apps', {})
  await labelNamespace(client, 'apps', { namespaceLabels: {}, namespaceAnnotations: {} })
  await labelNamespace(client, 'apps', { namespaceLabels: { team: 'a' } })
  expect(updates).toEqual([])
})

test('a conflict is tried again, a refusal is named', async () => {
  const { client, updates } = clientOf({}, { update: [409] })
  await labelNamespace(client, 'apps', { namespaceLabels: { a: 'b' } })
  expect(updates).toHaveLength(1)
  const options = { namespaceLabels: { a: 'b' } }
  await expect(labelNamespace(clientOf({}, { get: 403 }).client, 'apps', options)).rejects.toThrow(
    /^the deployment's service account is not allowed to get namespace "apps"/,
  )
  await expect(labelNamespace(clientOf({}, { update: [403] }).client, 'apps', options)).rejects.toBeInstanceOf(NamespaceForbiddenError)
})
