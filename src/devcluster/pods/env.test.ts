import { describe, expect, it } from 'vitest'
import { expand, resolveEnv } from './env.ts'
import type { PodSources } from './sources.ts'
import type { Container, Pod } from './types.ts'

const node = { name: 'node-1', ip: '127.0.0.1', capacity: { cpu: '2', memory: '4Gi' } }
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod-1', namespace: 'ns', uid: 'u1', labels: { app: 'x', 'a/b': 'y' } },
  spec: { serviceAccountName: 'worker', containers: [{ name: 'main', resources: { limits: { memory: '100Mi' } } }] },
}
const sources: PodSources = {
  async configMap(name) {
    return name === 'settings'
      ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { COLOR: 'red', 'bad=name': '1' } }
      : undefined
  },
  async secret(name) {
    const data = { PASSWORD: Buffer.from('s3cret').toString('base64') }
    return name === 'login' ? { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data } : undefined
  },
}

function resolve(container: Partial<Container>, base: Record<string, string> = {}): Promise<Record<string, string>> {
  return resolveEnv(pod, { ...pod.spec.containers[0], name: 'main', ...container }, node, sources, base)
}

describe('resolveEnv', () => {
  it('takes values, fields of the pod, resources, ConfigMaps and Secrets', async () => {
    const env = await resolve({
      env: [
        { name: 'PLAIN', value: 'v' },
        { name: 'EMPTY' },
        { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        { name: 'ACCOUNT', valueFrom: { fieldRef: { fieldPath: 'spec.serviceAccountName' } } },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a/b']" } } },
        { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'COLOR' } } },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'PASSWORD' } } },
      ],
    })
    expect(env).toEqual({
      PLAIN: 'v',
      EMPTY: '',
      NAMESPACE: 'ns',
      ACCOUNT: 'worker',
      NODE: 'node-1',
      LABEL: 'y',
      MEMORY: '100',
      CPU: '2',
      COLOR: 'red',
      PASSWORD: 's3cret',
    })
  })

  it('takes whole objects with a prefix, without names that no program could have, and lets env win', async () => {
    const env = await resolve({
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }, { secretRef: { name: 'login' } }],
      env: [{ name: 'PASSWORD', value: 'own' }],
    })
    expect(env).toEqual({ P_COLOR: 'red', PASSWORD: 'own' })
  })

  it('expands what came before', async () => {
    const env = await resolve(
      {
        env: [
          { name: 'A', value: '$(BASE)/a' },
          { name: 'B', value: '$(A)/b $(C)' },
          { name: 'C', value: 'late' },
        ],
      },
      { BASE: '/x' },
    )
    expect(env).toEqual({ BASE: '/x', A: '/x/a', B: '/x/a/b $(C)', C: 'late' })
  })

  it('leaves out what is optional and missing', async () => {
    const env = await resolve({
      envFrom: [{ configMapRef: { name: 'none', optional: true } }],
      env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'none', key: 'k', optional: true } } }],
    })
    expect(env).toEqual({})
  })

  it.each([
    [{ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] }, 'configmap "none" not found'],
    [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'login', key: 'k' } } }] }, 'couldn\'t find key k in secret "login"'],
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    [{ env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath: 'spec.other' } } }] }, 'fieldPath "spec.other" is not supported'],
    [{ env: [{ name: 'X', valueFrom: { resourceFieldRef: { resource: 'cpu' } } }] }, 'resourceFieldRef "cpu" cannot be resolved'],
  ])('names what is missing: %j', async (container, message) => {
    await expect(resolve(container)).rejects.toThrow(message)
  })
})

describe('expand', () => {
  it.each([
    ['$(A) and $(A)', '1 and 1'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$(UNKNOWN) $A $', '$(UNKNOWN) $A $'],
    ['$(constructor)', '$(constructor)'],
  ])('%s → %s', (text, expanded) => {
    expect(expand(text, { A: '1' })).toBe(expanded)
  })
})
