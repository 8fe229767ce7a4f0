import { describe, expect, it } from 'vitest'
import type { PodSources } from './sources.ts'
import type { Pod, Volume } from './types.ts'
import { planVolumes, referencedSources } from './volumes.ts'

const node = { name: 'node-1', ip: '127.0.0.1', capacity: {} }
const sources: PodSources = {
  async configMap(name) {
    if (name !== 'settings') return undefined
    const binaryData = { blob: Buffer.from([0, 1, 255]).toString('base64') }
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'a.yaml': 'a: 1', 'run.sh': '#!/bin/sh' }, binaryData }
  },
  async secret(name) {
    if (name !== 'login') return undefined
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { password: Buffer.from('s3cret').toString('base64') } }
  },
}

function podWith(...volumes: Volume[]): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod-1', namespace: 'ns', labels: { b: '2', a: '1' } },
    spec: { containers: [{ name: 'main' }], volumes },
  }
}

async function plan(
  volume: Volume,
): Promise<{ files: Record<string, string>; modes: Record<string, string>; tokens: unknown; managed: boolean }> {
  const [planned] = await planVolumes(podWith(volume), node, sources)
  const files = planned?.files ?? []
  return {
    files: Object.fromEntries(files.map(({ path, content }) => [path, content.toString('latin1')])),
    modes: Object.fromEntries(files.map(({ path, mode }) => [path, mode.toString(8)])),
    tokens: planned?.tokens,
    managed: planned?.managed ?? false,
  }
}

describe('planVolumes', () => {
  it('shows all keys of a ConfigMap', async () => {
    const { files, managed } = await plan({ name: 'v', configMap: { name: 'settings' } })
    expect(files).toEqual({ 'a.yaml': 'a: 1', 'run.sh': '#!/bin/sh', blob: '\0\x01\xff' })
    expect(managed).toBe(true)
  })

  it('shows the chosen keys under their paths', async () => {
    const items = [
      { key: 'a.yaml', path: 'deep/b.yaml' },
      { key: 'run.sh', path: 'run.sh', mode: 0o755 },
    ]
    const { files, modes } = await plan({ name: 'v', configMap: { name: 'settings', items } })
    expect(files).toEqual({ 'deep/b.yaml': 'a: 1', 'run.sh': '#!/bin/sh' })
    expect(modes).toEqual({ 'deep/b.yaml': '644', 'run.sh': '744' })
  })

  it('keeps secrets to their owner', async () => {
    const { files, modes } = await plan({ name: 'v', secret: { secretName: 'login', defaultMode: 0o644 } })
    expect(files).toEqual({ password: 's3cret' })
    expect(modes).toEqual({ password: '600' })
  })

  it('puts projected sources together and leaves tokens to be requested', async () => {
    const { files, tokens } = await plan({
      name: 'v',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
          { configMap: { name: 'settings', items: [{ key: 'a.yaml', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
          { serviceAccountToken: { path: 'vault', audience: 'vault' } },
        ],
      },
    })
    expect(files).toEqual({ 'ca.crt': 'a: 1', namespace: 'ns' })
    expect(tokens).toEqual([
      { path: 'token', expirationSeconds: 3607 },
      { path: 'vault', audience: 'vault', expirationSeconds: 3600 },
    ])
  })

  it('writes labels as the downward API does', async () => {
    const { files } = await plan({ name: 'v', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } })
    expect(files).toEqual({ labels: 'a="1"\nb="2"' })
  })

  it('leaves an emptyDir to the programs', async () => {
    expect(await plan({ name: 'v' })).toMatchObject({ files: {}, managed: false })
  })

  it('shows nothing of what is optional and missing', async () => {
    expect((await plan({ name: 'v', secret: { secretName: 'none', optional: true } })).files).toEqual({})
  })

  it.each<[Volume, string]>([
    [{ name: 'v', configMap: { name: 'none' } }, 'configmap "none" not found'],
    [{ name: 'v', secret: { secretName: 'none' } }, 'secret "none" not found'],
    [{ name: 'v', secret: { secretName: 'login', items: [{ key: 'x', path: 'x' }] } }, 'secret "login" has no key x'],
    [{ name: 'v', configMap: { name: 'settings', items: [{ key: 'a.yaml', path: '../x' }] } }, 'path "../x" leaves its volume'],
    [{ name: 'v', configMap: { name: 'settings', items: [{ key: 'a.yaml', path: '/x' }] } }, 'path "/x" leaves its volume'],
  ])('says what is wrong with %j', async (volume, message) => {
    await expect(plan(volume)).rejects.toThrow(message)
  })
})

describe('referencedSources', () => {
  it('names ConfigMaps and Secrets, projected ones included', () => {
    const pod = podWith(
      { name: 'a', configMap: { name: 'one' } },
      { name: 'b', secret: { secretName: 'two' } },
      { name: 'c', projected: { sources: [{ configMap: { name: 'three' } }, { secret: { name: 'four' } }] } },
      { name: 'd' },
    )
    expect([...referencedSources(pod)]).toEqual(['ConfigMap/one', 'Secret/two', 'ConfigMap/three', 'Secret/four'])
  })
})
