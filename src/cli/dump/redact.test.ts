import { expect, test } from 'vitest'
import type { KubeObject } from '../../lib/kube/types.ts'
import { contentMetadata, secretMetadata, withoutSecretPatches } from './redact.ts'

const CANARY = 'c2VjcmV0'

test('a secret keeps its metadata and type, and loses every copy of its data', () => {
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"p":"${CANARY}"}}`,
    'objectset.rio.cattle.io/applied': CANARY,
    note: 'kept',
  }
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name: 's', annotations },
    data: { p: CANARY },
    stringData: { p: CANARY },
  }
  expect(secretMetadata(secret)).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name: 's', annotations: { note: 'kept' } },
  })
})

test('a content loses its bytes only', () => {
  const content = { apiVersion: 'v', kind: 'Content', metadata: { name: 's' }, content: CANARY, sha256sum: 'x' }
  expect(contentMetadata(content)).toEqual({ apiVersion: 'v', kind: 'Content', metadata: { name: 's' }, sha256sum: 'x' })
})

test('patches of secrets are hidden wherever a status has them, others are not', () => {
  const patch = `{"data":{"p":"${CANARY}","q":"a}\\"{"}}`
  const object = {
    apiVersion: 'v',
    kind: 'Bundle',
    metadata: { name: 'b' },
    spec: { kept: patch },
    status: {
      conditions: [{ type: 'Ready', message: `Modified(1) [x]; secret.v1 ns/s modified ${patch}; configmap.v1 ns/c modified {"a":1}` }],
      summary: {
        nonReadyResources: [
          {
            modifiedStatus: [
              { kind: 'Secret', patch },
              { kind: 'ConfigMap', patch: '{"a":1}' },
            ],
          },
        ],
      },
    },
  }
  const { status, spec } = withoutSecretPatches<KubeObject & { status: typeof object.status; spec: unknown }>(object)
  expect(JSON.stringify(status)).not.toContain(CANARY)
  expect(status.conditions[0]?.message).toBe('Modified(1) [x]; secret.v1 ns/s modified ***; configmap.v1 ns/c modified {"a":1}')
  expect(status.summary.nonReadyResources[0]?.modifiedStatus).toEqual([
    { kind: 'Secret', patch: '***' },
    { kind: 'ConfigMap', patch: '{"a":1}' },
  ])
  expect(spec).toEqual({ kept: patch })
})

test('a patch that was cut off is hidden to its end', () => {
  const object = {
    apiVersion: 'v',
    kind: 'X',
    metadata: { name: 'x' },
    status: { message: `secret.v1 s modified {"data":{"p":"${CANARY}` },
  }
  expect(withoutSecretPatches(object).status.message).toBe('secret.v1 s modified ***')
})
