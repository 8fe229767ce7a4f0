import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { testCluster, uniqueNamespace } from '../../testing/cluster.ts'
import { type FaultProxy, startFaultProxy } from '../../testing/fault-proxy.ts'
import { CONFIG_MAP, type ConfigMap, clientOf, configMap, createNamespace, eventually } from '../../testing/kube.ts'
import { silentLogger } from '../controller/log.ts'
import type { KubeClient } from './client.ts'
import { createInformerFactory, type InformerFactory } from './informer.ts'
import type { KubeObject } from './types.ts'

let client: KubeClient
let proxy: FaultProxy
let followed: KubeClient
let namespace: string
let factory: InformerFactory

beforeAll(async () => {
  const { url, ca, token, kubeconfig } = testCluster('hub')
  client = await clientOf(kubeconfig)
  proxy = await startFaultProxy({ target: { url, ca, token } })
  followed = await clientOf(proxy.kubeconfig)
  namespace = await createNamespace(client, 'informer')
})

afterEach(async () => {
  await factory?.stop()
})

afterAll(async () => {
  await client?.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
  await followed?.close()
  await proxy?.stop()
  await client?.close()
})

function createFactory(): InformerFactory {
  factory = createInformerFactory(followed, { log: silentLogger })
  return factory
}

const never = new AbortController().signal

describe('a cache', () => {
  test('follows creations, changes and deletions, and objects that leave the selection', async () => {
    const informer = createFactory().informer<ConfigMap>({ type: CONFIG_MAP, namespace, labelSelector: 'kind=followed' })
    const events: string[] = []
    informer.subscribe(({ type, object, old }) =>
      events.push(`${type} ${object.metadata.name} ${old?.data?.v ?? '-'}→${object.data?.v ?? '-'}`),
    )
    await client.create(configMap(namespace, 'early', { v: '1' }, { kind: 'followed' }))
    expect(informer.synced).toBe(false)
    factory.start(never)
    await informer.waitSynced()
    expect(informer.synced).toBe(true)
    expect(informer.get('early', namespace)?.data).toEqual({ v: '1' })

    const ref = { ...CONFIG_MAP, namespace }
    await client.create(configMap(namespace, 'late', { v: '1' }, { kind: 'followed' }))
    await client.patch({ ...ref, name: 'late' }, { data: { v: '2' } }, { type: 'merge' })
    await client.patch({ ...ref, name: 'early' }, { metadata: { labels: { kind: 'other' } } }, { type: 'merge' })
    await client.delete({ ...ref, name: 'late' })
    await eventually('all events arrived', () => events.length >= 5)
    expect(events.slice(0, 3)).toEqual(['added early -→1', 'added late -→1', 'modified late 1→2'])
    expect(events.slice(3).sort()).toEqual(['deleted early 1→1', 'deleted late 2→2'])
    expect(informer.list()).toEqual([])
  })

  test('is asked for once and shared by those who want the same', async () => {
    createFactory()
    const options = { type: CONFIG_MAP, namespace, labelSelector: 'kind=shared' }
    const first = factory.informer<ConfigMap>({ ...options, indexes: { v: byV } })
    const second = factory.informer<ConfigMap>({ ...options, indexes: { name: byName } })
    expect(second).toBe(first)
    expect(factory.informer<ConfigMap>({ ...options, metadataOnly: true })).not.toBe(first)
    expect(factory.informer<ConfigMap>({ ...options, project: slim })).not.toBe(first)
    expect(() => factory.informer<ConfigMap>({ ...options, indexes: { v: byName } })).toThrow('already has another index "v"')
    proxy.forget()
    factory.start(never)
    await factory.waitSynced()
    await eventually('watches are open', () => proxy.watches === 3)
    expect(proxy.seen.filter(({ path }) => path.includes('configmaps'))).toHaveLength(6)

    for (const name of ['a', 'b', 'c']) await client.create(configMap(namespace, name, { v: name === 'c' ? '2' : '1' }, { kind: 'shared' }))
    await eventually('all are cached', () => first.list(namespace).length === 3)
    expect(names(first.by('v', '1'))).toEqual(['a', 'b'])
    expect(names(second.by('name', 'c'))).toEqual(['c'])
    await client.patch({ ...CONFIG_MAP, namespace, name: 'a' }, { data: { v: '2' } }, { type: 'merge' })
    await eventually('the index has moved', () => first.by('v', '2').length === 2)
    expect(names(first.by('v', '1'))).toEqual(['b'])
    const late: string[] = []
    const end = first.subscribe(({ type, object }) => late.push(`${type} ${object.metadata.name}`))
    expect(late.sort()).toEqual(['added a', 'added b', 'added c'])
    end()
  })

  test('can hold less than the server has', async () => {
    createFactory()
    await client.create(configMap(namespace, 'large', { v: 'x', w: 'y' }, { kind: 'lean' }))
    const options = { type: CONFIG_MAP, namespace, labelSelector: 'kind=lean' }
    const projected = factory.informer<ConfigMap>({ ...options, project: slim })
    const metadata = factory.informer<ConfigMap>({ ...options, metadataOnly: true })
    factory.start(never)
    await factory.waitSynced()
    expect(projected.list()[0]?.data).toEqual({ v: 'x' })
    expect(metadata.list()[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'large', labels: { kind: 'lean' } } })
    expect(metadata.list()[0]).not.toHaveProperty('data')
    await client.patch({ ...CONFIG_MAP, namespace, name: 'large' }, { data: { v: 'z' } }, { type: 'merge' })
    await eventually('the change arrived', () => projected.list()[0]?.data?.v === 'z')
    const version = projected.list()[0]?.metadata.resourceVersion
    await eventually('the change of metadata arrived', () => metadata.list()[0]?.metadata.resourceVersion === version)
    expect(metadata.list()[0]).not.toHaveProperty('data')
  })

  test('of a kind that is installed later fills as soon as it is there', async () => {
    const plural = `t${uniqueNamespace('').replace('-', '')}s`
    const kind = `T${plural.slice(1, -1)}`
    const type = { apiVersion: 'informer.test.example.com/v1', kind }
    const informer = createFactory().informer<KubeObject>({ type })
    factory.start(never)
    await expect(informer.waitSynced(AbortSignal.timeout(200))).rejects.toThrow()
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
    const name = `${plural}.informer.test.example.com`
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    const spec = {
      group: 'informer.test.example.com',
      names: { kind, plural, singular: plural.slice(0, -1), listKind: `${kind}List` },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    }
    await client.create({ ...crd, metadata: { name }, spec } as KubeObject)
    try {
      await informer.waitSynced()
      await client.create({ ...type, metadata: { name: 'one', namespace } })
      await eventually('the object is cached', () => informer.list().length === 1)
      expect(informer.get('one', namespace)).toMatchObject({ ...type, metadata: { name: 'one' } })
    } finally {
      await client.delete({ ...crd, name })
    }
  })

  test('that is stopped before it is filled says so to those who wait', async () => {
    const informer = createFactory().informer({ type: { apiVersion: 'nobody.example.com/v1', kind: 'Nothing' } })
    factory.start(never)
    const waiting = expect(informer.waitSynced()).rejects.toThrow('stopped before it was filled')
    await factory.stop()
    await waiting
  })
})

function byV(object: ConfigMap): readonly string[] {
  return object.data?.v ? [object.data.v] : []
}

function byName(object: ConfigMap): readonly string[] {
  return [object.metadata.name]
}

function slim({ data, ...rest }: ConfigMap): ConfigMap {
  return { ...rest, data: { v: data?.v ?? '' } }
}

function names(objects: readonly KubeObject[]): string[] {
  return objects.map((object) => object.metadata.name).sort()
}
