// Secrets and config maps that are copied beside the deployments of a bundle, on a real API server.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { getCondition } from '../lib/controller/conditions.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { type Controllers, startControllers, Workspace } from '../testing/bundle-workspace.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually, quiet } from '../testing/eventually.ts'
import { clientOf } from '../testing/kube.ts'
import type { Copyable } from './copied-objects.ts'

const shard = uniqueNamespace('shard')
let client: KubeClient
let controllers: Controllers

beforeAll(async () => {
  client = await clientOf(testCluster('hub').kubeconfig)
  controllers = await startControllers(testCluster('hub').kubeconfig, shard)
})

afterAll(async () => {
  await controllers?.stop()
  await client?.close()
})

async function workspace(...clusters: string[]): Promise<Workspace> {
  const ws = await Workspace.create(client, shard)
  for (const cluster of clusters) await ws.cluster(cluster)
  return ws
}

const configMap = (ws: Workspace, name: string, data: Record<string, string>, labels: Record<string, string> = {}) =>
  client.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: ws.name, labels }, ...{ data } } as KubeObject, {
    fieldManager: 'test',
    force: true,
  })
const copy = (ws: Workspace, name: string, cluster: string, kind: 'Secret' | 'ConfigMap' = 'ConfigMap') =>
  ws.object<Copyable>(kind, name, ws.namespaceOf(cluster))
const asked = (...names: string[]) => ({ downstreamResources: names.map((name) => ({ kind: 'ConfigMap', name })) })

test('they are copied with their labels, and announced once they change', async () => {
  const ws = await workspace('one', 'two')
  await configMap(ws, 'settings', { level: 'info' }, { team: 'blue', 'objectset.rio.cattle.io/hash': 'x' })
  await ws.bundle('copies', asked('settings'))
  for (const cluster of ['one', 'two'])
    await eventually(async () => expect((await copy(ws, 'settings', cluster))?.data).toEqual({ level: 'info' }))
  const made = await copy(ws, 'settings', 'one')
  const { metadata, spec } = await ws.deployment('copies', 'one')
  expect(made?.metadata.labels).toEqual({ team: 'blue' })
  expect(made?.metadata.ownerReferences).toEqual([
    {
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'BundleDeployment',
      name: 'copies',
      uid: metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ])
  expect(spec.downstreamResourcesGeneration).toBe(1)
  await configMap(ws, 'settings', { level: 'debug' })
  await eventually(async () => expect((await copy(ws, 'settings', 'two'))?.data).toEqual({ level: 'debug' }))
  await ws.deployment('copies', 'two', (deployment) => expect(deployment.spec.downstreamResourcesGeneration).toBe(2))
  await quiet(controllers.writes)
  controllers.writes.length = 0
  await consistently(() => expect(controllers.writes).toEqual([]), { forMs: 1_000 })
})

test('a copy that somebody changes or deletes is made again', async () => {
  const ws = await workspace('one')
  await configMap(ws, 'settings', { level: 'info' })
  await ws.bundle('touched', asked('settings'))
  const whole = async () => expect((await copy(ws, 'settings', 'one'))?.data).toEqual({ level: 'info' })
  await eventually(whole)
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', namespace: ws.namespaceOf('one') }
  await client.patch(ref, { data: { level: 'evil' } }, { type: 'merge' })
  await eventually(whole)
  await client.delete(ref)
  await eventually(whole)
})

test('two bundles share a copy, and it goes with the last of them', async () => {
  const ws = await workspace('one')
  await configMap(ws, 'shared', { a: 'b' })
  await ws.bundle('first', asked('shared'))
  await ws.bundle('second', asked('shared'))
  await eventually(async () =>
    expect((await copy(ws, 'shared', 'one'))?.metadata.ownerReferences?.map(({ name }) => name).sort()).toEqual(['first', 'second']),
  )
  await ws.bundle('first', {})
  await eventually(async () =>
    expect((await copy(ws, 'shared', 'one'))?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['second']),
  )
  await ws.bundle('second', {})
  await eventually(async () => expect(await copy(ws, 'shared', 'one')).toBeUndefined())
})

test('a secret keeps its type', async () => {
  const ws = await workspace('one')
  const data = { username: 'YQ==', password: 'Yg==' }
  await client.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: ws.name },
    ...{ type: 'kubernetes.io/basic-auth', data },
  } as KubeObject)
  await ws.bundle('typed', { downstreamResources: [{ kind: 'secret', name: 'login' }] })
  await eventually(async () => expect(await copy(ws, 'login', 'one', 'Secret')).toMatchObject({ type: 'kubernetes.io/basic-auth', data }))
})

test('what is missing, in the way or of another kind is told', async () => {
  const ws = await workspace('one')
  await configMap(ws, 'taken', { a: 'b' })
  await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'taken', namespace: ws.namespaceOf('one') } })
  const message = async (name: string) => getCondition((await ws.getBundle(name)).status?.conditions, 'Ready')?.message
  await ws.bundle('missing', asked('late'))
  await ws.bundle('blocked', asked('taken'))
  await ws.bundle('wrong', { downstreamResources: [{ kind: 'Service', name: 'x' }] })
  await eventually(async () =>
    expect(await message('missing')).toBe(`waiting for ConfigMap ${ws.name}/late, which is to be copied to the clusters`),
  )
  await eventually(async () =>
    expect(await message('blocked')).toBe(
      `ConfigMap ${ws.namespaceOf('one')}/taken is in the way of a copy from ${ws.name}: rename one of them`,
    ),
  )
  await eventually(async () => expect(await message('wrong')).toMatch(/^unsupported kind for downstreamResources: "Service"/))
  await configMap(ws, 'late', { now: 'here' })
  await eventually(async () => expect((await copy(ws, 'late', 'one'))?.data).toEqual({ now: 'here' }))
  await eventually(async () => expect(await message('missing')).toMatch(/^WaitApplied\(1\)/))
})
