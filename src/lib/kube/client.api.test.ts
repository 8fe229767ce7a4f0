import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testCluster } from '../../testing/cluster.ts'
import { CONFIG_MAP, type ConfigMap, clientOf, configMap, createNamespace, eventually } from '../../testing/kube.ts'
import type { KubeClient } from './client.ts'
import { ApiError, ConnectionError, isAlreadyExists, isConflict, isForbidden, isNotFound, UnknownKindError } from './errors.ts'
import type { KubeObject } from './types.ts'

const ROLE = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' } as const
const CLUSTER_ROLE = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' } as const
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const

let client: KubeClient
let namespace: string

beforeAll(async () => {
  client = await clientOf(testCluster('hub').kubeconfig)
  namespace = await createNamespace(client, 'client')
  // what the control plane itself puts there is no news to the watches below
  const ref = { ...CONFIG_MAP, namespace, name: 'kube-root-ca.crt' }
  await eventually('the namespace has its certificates', async () => (await client.find(ref)) !== undefined, 60_000)
})

afterAll(async () => {
  await client?.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
  await client?.close()
})

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('one object', () => {
  test('is created, read, replaced, patched, applied and deleted', async () => {
    const created = await client.create<ConfigMap>(configMap(namespace, 'one', { a: '1' }))
    const ref = { ...CONFIG_MAP, namespace, name: 'one' }
    expect(created.metadata.uid).toBeTruthy()
    expect(await client.get<ConfigMap>(ref)).toEqual(created)

    const updated = await client.update<ConfigMap>({ ...created, data: { a: '2' } })
    expect(updated.data).toEqual({ a: '2' })
    expect(isConflict(await rejection(client.update({ ...created, data: { a: '3' } })))).toBe(true)

    const merged = await client.patch<ConfigMap>(ref, { data: { b: '1', a: null } }, { type: 'merge' })
    expect(merged.data).toEqual({ b: '1' })
    const patched = await client.patch<ConfigMap>(ref, [{ op: 'add', path: '/data/c', value: '1' }], { type: 'json' })
    expect(patched.data).toEqual({ b: '1', c: '1' })
    const strategic = await client.patch<ConfigMap>(ref, { metadata: { labels: { x: 'y' } } }, { type: 'strategic' })
    expect(strategic.metadata.labels).toEqual({ x: 'y' })

    const applied = await client.apply<ConfigMap>(configMap(namespace, 'one', { c: '2' }), { fieldManager: 'test', force: true })
    expect(applied.data).toEqual({ b: '1', c: '2' })
    const odd = { c: 'line \u2028 and \u0085 \u2029 \ufeff \u007f\u0080 end' }
    expect((await client.apply<ConfigMap>(configMap(namespace, 'one', odd), { fieldManager: 'test' })).data).toMatchObject(odd)
    expect(isConflict(await rejection(client.apply(configMap(namespace, 'one', { c: '3' }), { fieldManager: 'other' })))).toBe(true)

    expect(isConflict(await rejection(client.delete(ref, { uid: 'another' })))).toBe(true)
    expect(await client.delete(ref, { uid: created.metadata.uid ?? '' })).toBe(true)
    expect(await client.delete(ref)).toBe(false)
    expect(await client.find(ref)).toBeUndefined()
    expect(isNotFound(await rejection(client.get(ref)))).toBe(true)
  })

  test('arrives without managedFields', async () => {
    const created = await client.create(configMap(namespace, 'managed'))
    expect(created.metadata).not.toHaveProperty('managedFields')
    const { items } = await client.list(CONFIG_MAP, { namespace })
    expect(items.every((item) => !('managedFields' in item.metadata))).toBe(true)
  })

  test('keeps the case of its name', async () => {
    const name = 'Ops:Team.One'
    await client.create({ ...ROLE, metadata: { namespace, name }, rules: [] } as KubeObject)
    const patched = await client.patch({ ...ROLE, namespace, name }, { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
    expect(patched.metadata.name).toBe(name)
    expect(await client.delete({ ...ROLE, namespace, name })).toBe(true)
  })

  test('without a name is refused before it becomes a request for all', async () => {
    for (const name of ['', '..', 'a/b', '%2e']) {
      await expect(client.delete({ ...CONFIG_MAP, namespace, name })).rejects.toThrow('cannot be used as name')
    }
    await expect(client.get({ ...CONFIG_MAP, name: 'x' })).rejects.toThrow('needs a namespace')
    await expect(client.create(configMap('', 'x'))).rejects.toThrow('needs a namespace')
  })

  test('a namespace is ignored for cluster-scoped kinds', async () => {
    const found = await client.get({ ...CLUSTER_ROLE, name: 'cluster-admin', namespace: 'anything' })
    expect(found.metadata.name).toBe('cluster-admin')
  })

  test('dry runs store nothing', async () => {
    await client.create(configMap(namespace, 'dry'), { dryRun: true })
    expect(await client.find({ ...CONFIG_MAP, namespace, name: 'dry' })).toBeUndefined()
  })

  test('has a status of its own', async () => {
    const spec = {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    }
    await client.create({ ...DEPLOYMENT, metadata: { namespace, name: 'd' }, spec } as KubeObject)
    const conditions = [{ type: 'Tested', status: 'True', reason: 'Test', message: '' }]
    const ref = { ...DEPLOYMENT, namespace, name: 'd' }
    const patched = await client.patch<KubeObject & { status: { conditions: { type: string }[] } }>(
      ref,
      { status: { conditions } },
      {
        type: 'merge',
        subresource: 'status',
      },
    )
    expect(patched.status.conditions.map((condition) => condition.type)).toContain('Tested')
    const ignored = await client.patch<KubeObject & { spec: { replicas: number } }>(
      ref,
      { spec: { replicas: 3 } },
      { type: 'merge', subresource: 'status' },
    )
    expect(ignored.spec.replicas).toBe(0)
  })
})

describe('lists', () => {
  test('are complete over several pages and carry the kind', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `page-${String(index).padStart(2, '0')}`)
    for (const name of names) await client.create(configMap(namespace, name, {}, { list: 'pages' }))
    const { items, resourceVersion } = await client.list<ConfigMap>(CONFIG_MAP, { namespace, labelSelector: 'list=pages', pageSize: 5 })
    expect(items.map((item) => item.metadata.name)).toEqual(names)
    expect(items.every((item) => item.kind === 'ConfigMap' && item.apiVersion === 'v1')).toBe(true)
    expect(resourceVersion).toMatch(/^\d+$/)
    await client.deleteCollection(CONFIG_MAP, { namespace, labelSelector: 'list=pages' })
    expect((await client.list(CONFIG_MAP, { namespace, labelSelector: 'list=pages' })).items).toEqual([])
  })

  test('of metadata only have no data', async () => {
    await client.create(configMap(namespace, 'meta', { big: 'x' }))
    const { items } = await client.list<ConfigMap>(CONFIG_MAP, { namespace, metadataOnly: true, fieldSelector: 'metadata.name=meta' })
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'meta' } })
    expect(items[0]).not.toHaveProperty('data')
  })
})

describe('watches', () => {
  test('tell what happened after a version, and end after their time', async () => {
    const { resourceVersion } = await client.list(CONFIG_MAP, { namespace })
    const created = await client.create(configMap(namespace, 'watched', { a: '1' }))
    await client.update({ ...created, data: { a: '2' } } as ConfigMap)
    await client.delete({ ...CONFIG_MAP, namespace, name: 'watched' })
    const seen: string[] = []
    for await (const { type, object } of client.watch<ConfigMap>(CONFIG_MAP, { namespace, resourceVersion, timeoutSeconds: 60 })) {
      seen.push(`${type} ${object.kind} ${object.metadata.name} ${object.data?.a}`)
      if (type === 'DELETED') break
    }
    expect(seen).toEqual(['ADDED ConfigMap watched 1', 'MODIFIED ConfigMap watched 2', 'DELETED ConfigMap watched 2'])
    const latest = (await client.list(CONFIG_MAP, { namespace })).resourceVersion
    for await (const event of client.watch(CONFIG_MAP, { namespace, resourceVersion: latest, timeoutSeconds: 1 }))
      expect(event).toBeUndefined()
  })

  test('end when the reader leaves or the signal is aborted', async () => {
    for await (const _ of client.watch(CONFIG_MAP, { namespace })) break
    const controller = new AbortController()
    const watching = (async () => {
      for await (const _ of client.watch(CONFIG_MAP, { namespace, signal: controller.signal })) controller.abort(new Error('enough'))
    })()
    await expect(watching).rejects.toThrow('enough')
  })
})

describe('errors', () => {
  test('carry status, reason and details of the server', async () => {
    const error = await rejection(client.create({ ...configMap(namespace, 'Not Allowed') }))
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ status: 422, reason: 'Invalid', details: { name: 'Not Allowed' } })
    await client.create(configMap(namespace, 'twice'))
    const again = await rejection(client.create(configMap(namespace, 'twice')))
    expect([isAlreadyExists(again), isConflict(again)]).toEqual([true, false])
  })

  test('name a kind that is not served', async () => {
    for (const apiVersion of ['nobody.example.com/v1', 'v1']) {
      const error = await rejection(client.get({ apiVersion, kind: 'Nothing', namespace, name: 'x' }))
      expect(error).toBeInstanceOf(UnknownKindError)
      expect(String(error)).toContain(`Nothing in ${apiVersion}`)
    }
  })

  test('come within the time limit and with the reason of a signal', async () => {
    const late = await rejection(
      client.request('GET', `/api/v1/namespaces/${namespace}/configmaps`, { query: { watch: 'true' }, timeoutMs: 300 }),
    )
    expect(late).toBeInstanceOf(ConnectionError)
    expect(late).toMatchObject({ code: 'TIMEOUT' })
    const aborted = await rejection(client.serverVersion({ signal: AbortSignal.abort(new Error('stopped')) }))
    expect(aborted).toMatchObject({ message: 'stopped' })
  })
})

describe('identities', () => {
  test('a derived client acts as somebody else over the same connections', async () => {
    const nobody = client.impersonate(`system:serviceaccount:${namespace}:nobody`)
    expect(isForbidden(await rejection(nobody.list(CONFIG_MAP, { namespace })))).toBe(true)
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} } as unknown as KubeObject
    const answer = await client
      .impersonate('jane', ['devs'])
      .create<KubeObject & { status?: { userInfo: { username: string; groups: string[] } } }>(review)
    expect(answer.status?.userInfo).toMatchObject({ username: 'jane', groups: expect.arrayContaining(['devs']) })
    expect(() => client.impersonate('')).toThrow('must be named')
    await expect(nobody.impersonate('root').list(CONFIG_MAP, { namespace })).rejects.toThrow('cannot act as somebody else')
    await nobody.close()
    expect((await client.serverVersion()).major).toBe('1')
  })
})
