// The HelmOp controller on a real API server and a real chart repository.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { HelmOp, HelmOpSpec } from '../api/helm-op.ts'
import { BUNDLE, HELM_OP, POLICY } from '../api/kinds.ts'
import { HELM_OP_FINALIZER, HELM_OP_GENERATION_ANNOTATION, HELM_OP_LABEL, SHARD_REF_LABEL } from '../api/labels.ts'
import { createChartVersions } from '../lib/charts/chart-versions.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { createEventRecorder } from '../lib/controller/events.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createManager } from '../lib/controller/manager.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { type ChartServer, startChartServer } from '../testing/chart-server.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { consistently, eventually } from '../testing/eventually.ts'
import { clientOf } from '../testing/kube.ts'
import { createHelmOpController } from './helm-op-controller.ts'

const shard = uniqueNamespace('shard')
let client: KubeClient
let charts: ChartServer
let namespace: string
let names = 0
const hubs: (() => Promise<void>)[] = []

beforeAll(async () => {
  client = await clientOf(testCluster('hub').kubeconfig)
  charts = await startChartServer()
  namespace = uniqueNamespace('helmop')
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
})
afterEach(() => stopHubs())
afterAll(async () => {
  await charts.stop()
  await client.close()
})

async function stopHubs(): Promise<void> {
  await Promise.all(hubs.splice(0).map((stop) => stop()))
}

/** Starts the controller; returns what it writes. */
function start(): string[] {
  const writes: string[] = []
  const note = (verb: string, { kind, name }: { kind: string; name: string }) =>
    void (kind !== 'Event' && writes.push(`${verb} ${kind} ${name}`))
  const counting: KubeClient = {
    ...client,
    create(object, ...rest) {
      note('create', { kind: object.kind, name: object.metadata.name })
      return client.create(object, ...rest)
    },
    update(object, ...rest) {
      note('update', { kind: object.kind, name: object.metadata.name })
      return client.update(object, ...rest)
    },
    patch(target, body, options) {
      note(options.subresource ? `patch ${options.subresource}` : 'patch', target)
      return client.patch(target, body, options)
    },
    delete(target, ...rest) {
      note('delete', target)
      return client.delete(target, ...rest)
    },
  }
  const informers = createInformerFactory(counting, { log: silentLogger })
  const controller = createHelmOpController({
    client: counting,
    informers,
    versions: createChartVersions(),
    events: createEventRecorder(counting, { component: 'fleet-helmops', clock: systemClock, log: silentLogger }),
    clock: systemClock,
    log: silentLogger,
    random: Math.random,
    systemNamespace: 'cattle-fleet-system',
    workers: 10,
    shard,
  })
  const stop = new AbortController()
  const running = createManager({ informers: [informers], controllers: [controller], log: silentLogger }).run(stop.signal)
  hubs.push(async () => {
    stop.abort()
    await running
  })
  return writes
}

const ref = (name: string) => ({ ...HELM_OP, name, namespace })
const bundleRef = (name: string) => ({ ...BUNDLE, name, namespace })
const get = (name: string) => client.get<HelmOp>(ref(name))
const edit = (name: string, spec: object) => client.patch<HelmOp>(ref(name), { spec }, { type: 'merge' })

async function create(spec: Partial<HelmOpSpec>, versions: readonly string[] = ['1.0.0'], labels = {}): Promise<string> {
  const name = `op-${++names}`
  for (const version of versions) await charts.publish(name, 'hello', version)
  const helm = { repo: charts.repository(name), chart: 'hello', ...spec.helm }
  await client.create<HelmOp>({
    ...HELM_OP,
    metadata: { name, namespace, labels: { [SHARD_REF_LABEL]: shard, ...labels } },
    spec: { ...spec, helm },
  })
  return name
}

function runs(name: string, version: string): Promise<Bundle> {
  return eventually(
    async () => {
      const bundle = await client.get<Bundle>(bundleRef(name))
      const { status } = await get(name)
      expect([bundle.spec.helm?.version, status?.version]).toEqual([version, version])
      return bundle
    },
    { what: `${name} ${version}` },
  )
}

function condition(name: string, type: string, status: string, message = /^/): Promise<void> {
  return eventually(async () => {
    const found = getCondition((await get(name)).status?.conditions, type)
    expect([found?.status, found?.message ?? '']).toEqual([status, expect.stringMatching(message)])
  })
}

const asked = (name: string) => charts.seen.filter(({ path }) => path.startsWith(`/${name}/`)).length

describe('a HelmOp', () => {
  test('costs two writes and its bundle, and nothing while nothing happens', async () => {
    const writes = start()
    const name = await create({ helm: { version: '1.0.0' } })
    const { metadata } = await runs(name, '1.0.0')
    await condition(name, 'Accepted', 'True')
    expect(metadata.labels).toEqual({ [HELM_OP_LABEL]: name })
    expect((await get(name)).metadata.finalizers).toEqual([HELM_OP_FINALIZER])
    const about = () => writes.filter((write) => write.endsWith(` ${name}`))
    expect(about()).toEqual([`patch HelmOp ${name}`, `create Bundle ${name}`, `patch status HelmOp ${name}`])
    const before = asked(name)
    await consistently(() => expect([about().length, asked(name)]).toEqual([3, before]), { forMs: 3_000 })
  })

  test('with polling asks again and again, and writes only news', async () => {
    const writes = start()
    const name = await create({ helm: { version: '1.x' }, pollingInterval: '1s' })
    await runs(name, '1.0.0')
    await condition(name, 'Polled', 'True')
    writes.length = 0
    const before = asked(name)
    await consistently(() => expect(writes.filter((write) => write.endsWith(` ${name}`))).toEqual([]), { forMs: 4_000 })
    expect(asked(name)).toBeGreaterThan(before + 1)
    await charts.publish(name, 'hello', '1.3.0')
    await runs(name, '1.3.0')
    expect(writes.filter((write) => write.endsWith(` ${name}`))).toEqual([`update Bundle ${name}`, `patch status HelmOp ${name}`])
  })

  test('is neither asked for nor written again after a restart', async () => {
    start()
    const kinds = [{ helm: { version: '1.0.0' } }, { helm: { version: '1.x' } }, { helm: { chart: `${charts.url}/a.tgz`, repo: '' } }]
    const all = await Promise.all(kinds.map((spec) => create(spec)))
    for (const name of all) await condition(name, 'Accepted', 'True')
    await stopHubs()
    const versions = await Promise.all(all.map(async (name) => (await get(name)).metadata.resourceVersion))
    for (const name of all) await charts.publish(name, 'hello', '1.9.0')
    const before = all.map(asked)
    const writes = start()
    await consistently(
      () => expect([writes.filter((write) => all.some((name) => write.endsWith(` ${name}`))), all.map(asked)]).toEqual([[], before]),
      {
        forMs: 3_000,
      },
    )
    expect(await Promise.all(all.map(async (name) => (await get(name)).metadata.resourceVersion))).toEqual(versions)
  })

  test('with a range that changed while nobody looked is looked up then', async () => {
    start()
    const name = await create({ helm: { version: '1.x' } })
    expect((await runs(name, '1.0.0')).metadata.annotations).toEqual({ [HELM_OP_GENERATION_ANNOTATION]: '1' })
    await stopHubs()
    await charts.publish(name, 'hello', '2.0.0')
    await edit(name, { helm: { version: '>=1.0.0' } })
    start()
    expect((await runs(name, '2.0.0')).metadata.annotations).toEqual({ [HELM_OP_GENERATION_ANNOTATION]: '2' })
  })

  test('is changed although its repository is down, and looked up when that is back', async () => {
    start()
    const name = await create({ helm: { version: '1.x' } })
    await runs(name, '1.0.0')
    charts.handle(`/${name}/index.yaml`, (_request, response) => void response.writeHead(503).end())
    await edit(name, { paused: true })
    await condition(name, 'Accepted', 'False', /^could not get a chart version: .*503/)
    const { spec } = await client.get<Bundle>(bundleRef(name))
    expect([spec.paused, spec.helm?.version]).toEqual([true, '1.0.0'])
    await charts.publish(name, 'hello', '1.4.0')
    await eventually(async () => expect((await get(name)).status?.version).toBe('1.4.0'))
    await condition(name, 'Accepted', 'True')
  })

  test('gets its bundle back when somebody deletes it', async () => {
    start()
    const name = await create({ helm: { version: '1.0.0' } })
    const { metadata } = await runs(name, '1.0.0')
    await client.delete(bundleRef(name))
    await eventually(async () => expect((await client.get<Bundle>(bundleRef(name))).metadata.uid).not.toBe(metadata.uid))
  })

  test('can be deleted whatever is wrong with it', async () => {
    start()
    const [refused, broken] = await Promise.all([create({ helm: { version: '1.0.0' } }), create({ helm: { version: '1.0.0' } })])
    await Promise.all([runs(refused, '1.0.0'), runs(broken, '1.0.0')])
    await edit(broken, { helm: { chart: '' } })
    await condition(broken, 'Accepted', 'False')
    const policy = { ...POLICY, metadata: { name: 'nothing', namespace }, helmOp: { allowedChartPatterns: ['other'] } } as KubeObject
    await client.create(policy)
    await condition(refused, 'Accepted', 'False', /^disallowed helm chart hello/)
    for (const name of [refused, broken]) {
      await client.delete(ref(name))
      await eventually(async () =>
        expect([await client.find(ref(name)), await client.find(bundleRef(name))]).toEqual([undefined, undefined]),
      )
    }
    await client.delete({ ...POLICY, name: 'nothing', namespace })
  })

  test('takes the namespace along that its bundle has, and none that it was never let into', async () => {
    start()
    const [own, foreign, kept] = ['own', 'foreign', 'kept'].map((name) => uniqueNamespace(name))
    const spaces = [own, foreign, kept].map((name = '') => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
    await Promise.all(spaces.map((space) => client.create(space)))
    const accepted = await create({ helm: { version: '1.0.0' }, namespace: own, deleteNamespace: true })
    const never = await create({ helm: { chart: '' }, namespace: foreign, deleteNamespace: true })
    const later = await create({ helm: { version: '1.0.0' }, namespace: own })
    await Promise.all([runs(accepted, '1.0.0'), condition(never, 'Accepted', 'False'), runs(later, '1.0.0')])
    await edit(later, { helm: { chart: '' }, namespace: kept, deleteNamespace: true })
    await condition(later, 'Accepted', 'False')
    for (const name of [never, later, accepted]) {
      await client.delete(ref(name))
      await eventually(async () => expect(await client.find(ref(name))).toBeUndefined())
    }
    const isGoing = async (name = ''): Promise<boolean> => {
      const found = await client.find({ apiVersion: 'v1', kind: 'Namespace', name })
      return found?.metadata.deletionTimestamp !== undefined || !found
    }
    expect([await isGoing(own), await isGoing(foreign), await isGoing(kept)]).toEqual([true, false, false])
  })

  test('with values files is deployed without them, and says so', async () => {
    start()
    const name = await create({ helm: { version: '1.0.0' } })
    await runs(name, '1.0.0')
    await edit(name, { paused: true, targets: [{ helm: { valuesFiles: ['eu.yaml'] } }] })
    await condition(
      name,
      'Accepted',
      'True',
      /^spec\.targets\[0\]\.helm\.valuesFiles names eu\.yaml, which have no effect: a HelmOp has no files/,
    )
    expect((await client.get<Bundle>(bundleRef(name))).spec.paused).toBe(true)
    await edit(name, { targets: null })
    await condition(name, 'Accepted', 'True', /^$/)
  })

  test('shares its polls with others of the same repository', async () => {
    start()
    await charts.publish('shared', 'hello', '1.0.0')
    const helm = { repo: charts.repository('shared'), version: '1.x' }
    const all = await Promise.all(Array.from({ length: 10 }, () => create({ helm, pollingInterval: '1h' }, [])))
    for (const name of all) await runs(name, '1.0.0')
    expect(charts.seen.filter(({ path }) => path === '/shared/index.yaml').length).toBeLessThan(5)
  })

  test('of another shard is left alone', async () => {
    start()
    const name = await create({ helm: { version: '1.0.0' } }, ['1.0.0'], { [SHARD_REF_LABEL]: 'elsewhere' })
    await consistently(async () => {
      expect((await get(name)).metadata.finalizers).toBeUndefined()
      expect(asked(name)).toBe(0)
    })
  })
})
