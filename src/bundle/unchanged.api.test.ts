// Commits that change nothing for a GitRepo: the controller, the publisher, a real git server and a real API server together.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import { BUNDLE } from '../api/kinds.ts'
import { BUNDLE_VALUES_SECRET, COMMIT_LABEL } from '../api/labels.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { marshalGoJson } from '../lib/json/go-json.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createInformerFactory, type Informer, type InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Publisher } from '../source/publisher.ts'
import { testCluster } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../testing/fault-proxy.ts'
import { clientOf } from '../testing/kube.ts'
import { useSource } from '../testing/source-hub.ts'
import { createPublisher, publishedBundles } from './publish.ts'
import type { DigestedValues } from './store.ts'
import { configMap } from './testing/folder.ts'

const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const
const fx = useSource()
let proxy: FaultProxy
let client: KubeClient
let factory: InformerFactory
let valuesSecrets: Informer<DigestedValues>
let publisher: Publisher
/** `publish NAME` and `advance NAME`; those that came to nothing end in `?`. */
let calls: string[]

beforeAll(async () => {
  const { url, ca, token, kubeconfig } = testCluster('hub')
  proxy = await startFaultProxy({ target: { url, ca, token } })
  client = await clientOf(proxy.kubeconfig)
  factory = createInformerFactory(await clientOf(kubeconfig), { log: silentLogger })
  const bundles = factory.informer(publishedBundles)
  valuesSecrets = factory.informer<DigestedValues>({ type: SECRET, fieldSelector: `type=${BUNDLE_VALUES_SECRET}`, project: digested })
  factory.start(new AbortController().signal)
  await factory.waitSynced()
  const real = createPublisher({ client, bundles, valuesSecrets, log: silentLogger })
  publisher = {
    ...real,
    publish(gitRepo, ...rest) {
      calls.push(`publish ${gitRepo.metadata.name}`)
      return real.publish(gitRepo, ...rest)
    },
    async advance(gitRepo, ...rest) {
      const moved = await real.advance?.(gitRepo, ...rest)
      calls.push(`advance ${gitRepo.metadata.name}${moved ? '' : '?'}`)
      return moved
    },
  }
})
afterAll(async () => {
  await factory?.stop()
  await client?.close()
  await proxy?.stop()
})
beforeEach(() => {
  calls = []
})

function digested({ data, ...secret }: KubeObject & { data?: object }): DigestedValues {
  const digest = createHash('sha256').update(marshalGoJson(data ?? {}))
  return { ...secret, digest: digest.digest('hex') }
}

const bundle = (name: string): Promise<Bundle> => client.get<Bundle>({ ...BUNDLE, name, namespace: fx.scene.namespace })
const writes = (): string[] =>
  proxy.seen
    .filter(({ method, path }) => method !== 'GET' && path.includes(fx.scene.namespace))
    .map(({ method, path }) => `${method} ${path.split('?')[0]?.split('/').slice(-2).join('/')}`)

const APP = { 'app/fleet.yaml': 'helm: {values: {a: 1}, valuesFiles: [../base/values.yaml]}', 'app/cm.yaml': configMap('one') }
const FILES = { ...APP, 'base/values.yaml': 'b: 1\n', 'other/cm.yaml': configMap('two') }

/** A GitRepo that has been read. */
async function following(spec: object = {}) {
  const repo = await fx.repository(FILES)
  const name = fx.unique()
  await fx.scene.create(name, { repo: repo.url, paths: ['app'], ...spec })
  await fx.scene.current(name, await repo.head())
  const own = `${name}-app`
  await eventually(() => {
    const cached = factory.informer(publishedBundles).get(own, fx.scene.namespace)
    expect(cached).toBeDefined()
    expect(valuesSecrets.get(own, fx.scene.namespace)?.digest).toBe(cached?.spec.valuesHash)
  })
  /** Commits, waits until it has been dealt with, and tells what was done. */
  async function commit(files: Parameters<typeof repo.commit>[0]): Promise<string[]> {
    calls.length = 0
    const id = await repo.commit(files)
    await fx.scene.current(name, id)
    expect((await bundle(own)).metadata.labels?.[COMMIT_LABEL]).toBe(id)
    return calls.map((call) => call.replace(` ${name}`, ''))
  }
  return { repo, name, own, commit }
}

describe('a commit that changes nothing for a GitRepo', () => {
  test('moves the label of its bundles and its status, and nothing else', async () => {
    await fx.start({ publisher })
    const { own, commit, name } = await following()
    const before = await bundle(own)
    proxy.forget()
    expect(await commit({ 'other/cm.yaml': configMap('three'), 'new/fleet.yaml': '' })).toEqual(['advance'])
    expect(writes()).toEqual([`PATCH bundles/${own}`])
    const after = await bundle(own)
    expect(after.metadata.generation).toBe(before.metadata.generation)
    expect(after.spec).toEqual(before.spec)
    expect(await commit({ 'other/cm.yaml': null })).toEqual(['advance'])
    expect((await fx.scene.condition(name, 'Stalled', 'False')).status?.gitJobStatus).toBe('Current')
  })

  test('is told from one that changes what its bundles are made of, wherever that is', async () => {
    await fx.start({ publisher })
    const { own, commit } = await following()
    const { valuesHash } = (await bundle(own)).spec
    expect(await commit({ 'base/values.yaml': 'b: 2\n' })).toEqual(['publish'])
    expect((await bundle(own)).spec.valuesHash).not.toBe(valuesHash)
    expect(await commit({ 'app/more.yaml': configMap('four') })).toEqual(['publish'])
    expect((await bundle(own)).spec.resources?.map(({ name }) => name)).toContain('more.yaml')
  })

  test('is read all the same when somebody has changed what was written', async () => {
    await fx.start({ publisher })
    const { own, commit } = await following()
    const ref = { ...BUNDLE, name: own, namespace: fx.scene.namespace }
    const cached = () => factory.informer(publishedBundles).get(own, fx.scene.namespace)

    const { generation } = await client.patch<Bundle>(ref, { spec: { paused: true } }, { type: 'merge' }).then(({ metadata }) => metadata)
    await eventually(() => expect(cached()?.metadata.generation).toBe(generation))
    expect(await commit({ x: '1' })).toEqual(['advance?', 'publish'])
    expect((await bundle(own)).spec.paused ?? false).toBe(false)

    await eventually(async () => expect(cached()?.metadata.resourceVersion).toBe((await bundle(own)).metadata.resourceVersion))
    expect(await commit({ x: '2' })).toEqual(['advance'])
    await client.patch(ref, { metadata: { labels: { mine: 'x' } } }, { type: 'merge' })
    await eventually(() => expect(cached()?.metadata.labels).toHaveProperty('mine'))
    expect(await commit({ x: '3' })).toEqual(['advance?', 'publish'])

    await client.delete({ ...SECRET, name: own, namespace: fx.scene.namespace })
    await client.delete(ref)
    await eventually(() => expect(cached()).toBeUndefined())
    expect(await commit({ x: '4' })).toEqual(['advance?', 'publish'])
  })

  test('is read when the GitRepo has changed too, and by the first process after a restart', async () => {
    await fx.start({ publisher })
    const { repo, name, commit } = await following({ disablePolling: false })
    const next = await repo.commit({ x: '1' })
    await fx.scene.edit(name, { forceSyncGeneration: 1 })
    await fx.scene.current(name, next)
    expect(calls.filter((call) => call.startsWith('publish')).length).toBeGreaterThanOrEqual(2)
    await eventually(async () => expect((await fx.scene.get(name)).status?.updateGeneration).toBe(1))
    await fx.stopHubs()
    await fx.start({ publisher })
    expect(await commit({ x: '2' })).toEqual(['publish'])
    expect(await commit({ x: '3' })).toEqual(['advance'])
  })

  test('is read by those alone of many GitRepos on one repository whom it concerns', async () => {
    const count = 12
    const repo = await fx.repository(
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`app-${at}/cm.yaml`, configMap(`of-${at}`)])),
    )
    await fx.start({ publisher })
    const names = Array.from({ length: count }, () => fx.unique())
    const first = await repo.head()
    await Promise.all(names.map((name, at) => fx.scene.create(name, { repo: repo.url, paths: [`app-${at}`] })))
    await Promise.all(names.map((name) => fx.scene.current(name, first)))
    await eventually(() =>
      expect(names.filter((name, at) => factory.informer(publishedBundles).get(`${name}-app-${at}`, fx.scene.namespace))).toEqual(names),
    )
    calls.length = 0
    const next = await repo.commit({ 'app-3/cm.yaml': configMap('changed') })
    await Promise.all(names.map((name) => fx.scene.current(name, next)))
    expect(calls.filter((call) => call.startsWith('publish'))).toEqual([`publish ${names[3]}`])
    expect(calls).toHaveLength(count)
  })
})
