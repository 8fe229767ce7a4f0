// The bundle controller on a real API server: what it writes, and above all what it does not write.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CLUSTER, CONTENT } from '../api/kinds.ts'
import { CONTENT_NAME_LABEL } from '../api/labels.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { type Controllers, startControllers, Workspace } from '../testing/bundle-workspace.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually, quiet } from '../testing/eventually.ts'
import { clientOf } from '../testing/kube.ts'

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

const workspace = (labels?: Record<string, string>) => Workspace.create(client, shard, labels)
const ready = (bundle: {
  status?: { conditions?: { type: string; status: string; message?: string | undefined }[] | undefined } | undefined
}) => getCondition(bundle.status?.conditions, 'Ready')
/** Somebody who changes a bundle while its controller writes its status makes that fail, as it should: here it is no mistake of the controller. */
const atRest = () => quiet(controllers.writes, 500)
const writesOf = (name: string) => controllers.writes.filter((write) => write.split(' ').includes(name))

test('a bundle becomes a content and one deployment for each cluster, with one write each', async () => {
  const ws = await workspace()
  for (const name of ['one', 'two', 'three']) await ws.cluster(name, { env: 'prod' })
  await controllers.knowClusters(ws.name)
  await ws.bundle('plain', { defaultNamespace: 'apps' })
  const one = await ws.deployment('plain', 'one')
  expect(one.spec.deploymentID).toBe(one.spec.stagedDeploymentID)
  expect(one.spec.options).toEqual({ defaultNamespace: 'apps', helm: {} })
  expect(await client.find({ ...CONTENT, name: one.metadata.labels?.[CONTENT_NAME_LABEL] ?? '' })).toBeDefined()
  await ws.awaitBundle('plain', ({ status }) => expect(status?.summary).toMatchObject({ waitApplied: 3, desiredReady: 3 }))
  await consistently(
    () =>
      expect(writesOf('plain').sort()).toEqual([
        'create BundleDeployment plain',
        'create BundleDeployment plain',
        'create BundleDeployment plain',
        'patch Bundle plain',
        'patch Bundle plain status',
      ]),
    { forMs: 1_500 },
  )
  for (const name of ['one', 'two', 'three']) await ws.report('plain', name)
  const bundle = await ws.awaitBundle('plain', (found) => expect(ready(found)?.status).toBe('True'))
  expect(bundle.status).toMatchObject({
    display: { readyClusters: '3/3' },
    observedGeneration: bundle.metadata.generation,
    maxUnavailable: 3,
  })
  expect(bundle.status?.partitions).toEqual([{ name: 'All', count: 3, maxUnavailable: 3, summary: { ready: 3, desiredReady: 3 } }])
})

test('values lie in a secret, one for the staged and one for the current version', async () => {
  const ws = await workspace()
  await ws.cluster('one', { env: 'prod' })
  await ws.bundle('values', { helm: { values: { n: '${ name }', v: 1 } } })
  await ws.deployment('values', 'one', (deployment) => expect(deployment.spec.valuesHash).toBeTruthy())
  await eventually(async () =>
    expect(await ws.values('values', 'one')).toEqual({ values: '{"n":"one","v":1}', stagedValues: '{"n":"one","v":1}' }),
  )
  await atRest()
  await ws.bundle('values', { paused: true, helm: { values: { v: 2 } } })
  await eventually(async () => expect(await ws.values('values', 'one')).toEqual({ values: '{"n":"one","v":1}', stagedValues: '{"v":2}' }))
  await atRest()
  await ws.bundle('values', { paused: true, helm: { values: { v: 3 } } })
  await eventually(async () => expect(await ws.values('values', 'one')).toEqual({ values: '{"n":"one","v":1}', stagedValues: '{"v":3}' }))
  await atRest()
  await ws.bundle('values', { helm: { values: { v: 3 } } })
  await eventually(async () => expect(await ws.values('values', 'one')).toEqual({ values: '{"v":3}', stagedValues: '{"v":3}' }))
  await atRest()
  await ws.bundle('values', {})
  await ws.deployment('values', 'one', (deployment) => expect(deployment.spec.valuesHash).toBeUndefined())
  await eventually(async () => expect(await ws.values('values', 'one')).toBeUndefined())
})

test('a secret that is tampered with or deleted is made again at once', async () => {
  const ws = await workspace()
  await ws.cluster('one')
  await ws.bundle('tampered', { helm: { values: { v: 1 } } })
  const ref = { apiVersion: 'v1', kind: 'Secret', name: 'tampered', namespace: ws.namespaceOf('one') }
  const whole = async () => expect((await ws.values('tampered', 'one'))?.values).toBe('{"v":1}')
  await eventually(whole)
  await client.patch(ref, { data: { values: Buffer.from('{"v":666}').toString('base64') } }, { type: 'merge' })
  await eventually(whole)
  await client.delete(ref)
  await eventually(whole)
})

test('values of a version that is not replaced yet and whose secret is lost make the agent wait until the next version comes', async () => {
  const ws = await workspace()
  await ws.cluster('one')
  await ws.bundle('lost', { helm: { values: { v: 1 } } })
  await ws.deployment('lost', 'one', (deployment) => expect(deployment.spec.valuesHash).toBeTruthy())
  await atRest()
  await ws.bundle('lost', { paused: true, helm: { values: { v: 2 } } })
  await eventually(async () => expect(await ws.values('lost', 'one')).toEqual({ values: '{"v":1}', stagedValues: '{"v":2}' }))
  await client.delete({ apiVersion: 'v1', kind: 'Secret', name: 'lost', namespace: ws.namespaceOf('one') })
  await ws.deployment('lost', 'one', ({ spec }) => expect(spec.waitingForValues).toBe(true))
  await atRest()
  await ws.bundle('lost', { helm: { values: { v: 2 } } })
  await ws.deployment('lost', 'one', ({ spec }) => expect([spec.waitingForValues, spec.paused]).toEqual([undefined, undefined]))
  await eventually(async () => expect(await ws.values('lost', 'one')).toEqual({ values: '{"v":2}', stagedValues: '{"v":2}' }))
})

test('a template that fails on one cluster is told, and the other clusters go on', async () => {
  const ws = await workspace()
  for (const name of ['bad', 'good']) await ws.cluster(name, { env: 'x' })
  await ws.bundle('broken', { helm: { values: { n: '${ name }' } } })
  await ws.deployment('broken', 'good')
  const bundle = await ws.awaitBundle('broken', (found) =>
    expect(ready(found)?.message).toMatch(/^targeting error: cluster bad in namespace /),
  )
  expect(bundle.status?.observedGeneration).toBeUndefined()
  expect(bundle.status?.resourcesSha256Sum).toBeTruthy()
  expect(await ws.find('broken', 'bad')).toBeUndefined()
})

test('a cluster whose namespace is missing is told, does not stop the others, and is served as soon as it can be', async () => {
  const ws = await workspace()
  await ws.cluster('good')
  const absent = `${ws.name}-absent`
  await client.create({ ...CLUSTER, metadata: { name: 'absent', namespace: ws.name }, ...{ spec: {} } })
  await ws.patchCluster('absent', { status: { namespace: absent } }, 'status')
  await ws.bundle('partial')
  await ws.deployment('partial', 'good')
  await ws.awaitBundle('partial', (bundle) =>
    expect(ready(bundle)?.message).toContain(`[Cluster ${ws.name}/absent: namespaces "${absent}" not found]`),
  )
  const annotations = { 'fleet.cattle.io/cluster': 'absent', 'fleet.cattle.io/cluster-namespace': ws.name }
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: absent, annotations } })
  await ws.deployment('partial', 'absent')
  controllers.writes.splice(0, Infinity, ...controllers.writes.filter((write) => write !== 'create BundleDeployment partial 404'))
})

test('a cluster that stops matching loses its deployment, unless it is outside of its schedule', async () => {
  const ws = await workspace()
  for (const name of ['one', 'two']) await ws.cluster(name, { env: 'prod' })
  await ws.bundle('moving', { targets: [{ clusterSelector: { matchLabels: { env: 'prod' } } }] })
  await ws.deployment('moving', 'one')
  await ws.patchCluster('two', { status: { scheduled: true } }, 'status')
  await ws.deployment('moving', 'two', ({ spec }) => expect(spec.offSchedule).toBe(true))
  for (const name of ['one', 'two']) await ws.patchCluster(name, { metadata: { labels: { env: 'dev' } } })
  await eventually(async () => expect(await ws.find('moving', 'one')).toBeUndefined())
  await consistently(async () => expect(await ws.find('moving', 'two')).toBeDefined(), { forMs: 1_000 })
})

test('what somebody changes on a deployment is put back, a deleted one is made again', async () => {
  const ws = await workspace()
  await ws.cluster('one')
  await ws.bundle('edited', { defaultNamespace: 'right' })
  const before = await ws.deployment('edited', 'one')
  await client.patch(
    ws.refOf('edited', 'one'),
    { metadata: { labels: { stray: 'x' } }, spec: { options: { defaultNamespace: 'wrong' } } },
    { type: 'merge' },
  )
  await ws.deployment('edited', 'one', ({ spec, metadata }) =>
    expect([spec.options?.defaultNamespace, metadata.labels?.stray]).toEqual(['right', undefined]),
  )
  await client.delete(ws.refOf('edited', 'one'))
  await ws.deployment('edited', 'one', ({ metadata }) => expect(metadata.uid).not.toBe(before.metadata.uid))
})

test('a deployment of the same name that a mapping brought is left to its bundle', async () => {
  const mark = uniqueNamespace('lend')
  const [from, to] = [await workspace(), await workspace({ lend: mark })]
  await to.cluster('far')
  await to.bundle('same')
  const theirs = await to.deployment('same', 'far')
  await client.create({
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'BundleNamespaceMapping',
    metadata: { name: 'm', namespace: from.name },
    ...{ bundleSelector: {}, namespaceSelector: { matchLabels: { lend: mark } } },
  })
  await from.bundle('same')
  await from.awaitBundle('same', (bundle) =>
    expect(ready(bundle)?.message).toContain(`is taken in namespace ${to.namespaceOf('far')} by bundle ${to.name}/same: rename one`),
  )
  expect((await to.find('same', 'far'))?.metadata.uid).toBe(theirs.metadata.uid)
  await from.deleteBundle('same')
  await consistently(async () => expect((await to.find('same', 'far'))?.metadata.deletionTimestamp).toBeUndefined(), { forMs: 1_000 })
})

test('the name is taken over once its bundle is gone', async () => {
  const mark = uniqueNamespace('lend')
  const [from, to] = [await workspace(), await workspace({ lend: mark })]
  await to.cluster('far')
  await to.bundle('heir')
  const theirs = await to.deployment('heir', 'far')
  await client.create({
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'BundleNamespaceMapping',
    metadata: { name: 'm', namespace: from.name },
    ...{ bundleSelector: {}, namespaceSelector: { matchLabels: { lend: mark } } },
  })
  await from.bundle('heir')
  await from.awaitBundle('heir', (bundle) => expect(ready(bundle)?.message).toContain('is taken in namespace'))
  await to.deleteBundle('heir')
  await to.deployment('heir', 'far', ({ metadata }) => {
    expect(metadata.uid).not.toBe(theirs.metadata.uid)
    expect(metadata.labels?.['fleet.cattle.io/bundle-namespace']).toBe(from.name)
  })
})

test('labels that lead a deployment to its bundle are put back', async () => {
  const ws = await workspace()
  await ws.cluster('one')
  await ws.bundle('labelled')
  const { metadata } = await ws.deployment('labelled', 'one')
  const stolen = { 'fleet.cattle.io/bundle-name': null, 'fleet.cattle.io/bundle-namespace': null, 'fleet.cattle.io/managed': 'no' }
  await client.patch(ws.refOf('labelled', 'one'), { metadata: { labels: stolen } }, { type: 'merge' })
  await ws.deployment('labelled', 'one', (found) => expect(found.metadata.labels).toEqual(metadata.labels))
})

test('a bundle goes after its deployments, their secrets and its values', async () => {
  const ws = await workspace()
  for (const name of ['one', 'two']) await ws.cluster(name)
  await ws.bundle('leaving', { helm: { values: { v: 1 } } })
  for (const name of ['one', 'two']) await eventually(async () => expect(await ws.values('leaving', name)).toBeDefined())
  await client.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'leaving', namespace: ws.name },
    ...{ type: 'fleet.cattle.io/bundle-values/v1alpha1' },
  })
  await quiet(controllers.writes)
  controllers.writes.length = 0
  await ws.deleteBundle('leaving')
  await eventually(async () => await expect(ws.getBundle('leaving')).rejects.toThrow('not found'))
  expect(writesOf('leaving').sort()).toEqual([
    'delete BundleDeployment leaving',
    'delete BundleDeployment leaving',
    'delete Secret leaving',
    'delete Secret leaving',
    'delete Secret leaving',
    'patch Bundle leaving',
    'patch BundleDeployment leaving',
    'patch BundleDeployment leaving',
  ])
})

test('none of these requests was refused', () => {
  expect(controllers.writes.filter((write) => / \d+$/.test(write))).toEqual([])
})

test('after a restart nothing is written', async () => {
  const ws = await workspace()
  for (const name of ['one', 'two']) await ws.cluster(name, { env: 'prod' })
  await ws.bundle('kept', { helm: { values: { n: '${ name }' } } })
  await ws.bundle('other', { rolloutStrategy: { maxUnavailable: 1 } })
  for (const bundle of ['kept', 'other']) {
    for (const cluster of ['one', 'two']) {
      await ws.deployment(bundle, cluster)
      await ws.report(bundle, cluster)
    }
    await ws.awaitBundle(bundle, (found) => expect(ready(found)?.status).toBe('True'))
  }
  await controllers.stop()
  controllers = await startControllers(testCluster('hub').kubeconfig, shard)
  await consistently(() => expect(controllers.writes).toEqual([]), { forMs: 2_000 })
  expect(controllers.reads).toEqual([])
})
