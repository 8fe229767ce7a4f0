// Schedules on a real API server, with a clock that the test moves: windows open and close, also for a controller that starts within one.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Cluster, ClusterStatus } from '../api/cluster.ts'
import { CLUSTER, SCHEDULE } from '../api/kinds.ts'
import { SCHEDULE_FINALIZER, SHARD_REF_LABEL } from '../api/labels.ts'
import type { Schedule, ScheduleSpec } from '../api/schedule.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createManager } from '../lib/controller/manager.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { ObjectRef } from '../lib/kube/types.ts'
import { testCluster, uniqueNamespace } from '../testing/cluster.ts'
import { eventually } from '../testing/eventually.ts'
import { createFakeClock, type FakeClock } from '../testing/fake-clock.ts'
import { createScheduleController } from './controller.ts'
import { schedule } from './objects.testing.ts'

const HOUR = 3_600_000
/** Half past midnight: the window of the tests opens at two. */
const START = Date.parse('2026-01-02T00:30:00Z')
/** Longer than events are gathered. */
const A_MOMENT_MS = 300

let client: KubeClient
let ws: string
let clock: FakeClock
let writes: string[]
let told: string[]
let stop: (() => Promise<void>) | undefined

beforeAll(async () => {
  client = createClient(await loadConnection({ kubeconfig: testCluster('hub').kubeconfig }))
})

beforeEach(async () => {
  ws = uniqueNamespace('schedule')
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ws } })
  clock = createFakeClock(START)
  writes = []
  told = []
})

afterEach(async () => {
  await stop?.()
  stop = undefined
})

afterAll(async () => {
  await client?.close()
})

/** Starts a controller as a new process would. */
async function start(shard = ''): Promise<void> {
  const factory = createInformerFactory(client, { log: silentLogger })
  const counting: KubeClient = {
    ...client,
    patch: (...call) => {
      writes.push(`${call[0].kind} ${call[0].name}`)
      return client.patch(...call)
    },
  }
  const controller = createScheduleController({
    client: counting,
    informers: only(factory),
    log: silentLogger,
    clock,
    workers: 2,
    shard,
    handles: ({ metadata }) => (metadata.labels?.[SHARD_REF_LABEL] ?? '') === shard,
    localZone: 'UTC',
    events: { event: ({ metadata }, { type, reason, note }) => void told.push(`${metadata.name} ${type} ${reason} ${note}`) },
  })
  const stopping = new AbortController()
  const running = createManager({ informers: [factory], controllers: [controller], log: silentLogger }).run(stopping.signal)
  stop = async () => {
    stopping.abort()
    await running
  }
  await factory.waitSynced()
}

/** Other tests use the same API server: only what is made here is looked at here. */
function only(factory: ReturnType<typeof createInformerFactory>): typeof factory {
  return { ...factory, informer: (options) => factory.informer({ ...options, namespace: ws }) }
}

async function restart(): Promise<void> {
  await stop?.()
  writes = []
  await start()
}

const ref = (kind: { apiVersion: string; kind: string }, name: string): ObjectRef => ({ ...kind, name, namespace: ws })

async function createCluster(name: string, labels: Record<string, string> = {}): Promise<void> {
  await client.create<Cluster>({ ...CLUSTER, metadata: { name, namespace: ws, labels }, spec: {} })
}

async function createSchedule(name: string, spec: ScheduleSpec = {}, labels: Record<string, string> = {}): Promise<void> {
  await client.create<Schedule>({ ...schedule(name, spec), metadata: { name, namespace: ws, labels } })
}

/** Lets the controller work on what it was told, and waits until `check` holds. */
function settles(check: () => Promise<void>): Promise<void> {
  return eventually(
    async () => {
      await clock.advance(A_MOMENT_MS)
      await check()
    },
    { timeoutMs: 60_000, everyMs: 20 },
  )
}

async function flags(name: string): Promise<string> {
  const { scheduled, activeSchedule }: ClusterStatus = (await client.get<Cluster>(ref(CLUSTER, name))).status ?? {}
  return !scheduled ? 'free' : activeSchedule ? 'open' : 'held'
}

const cluster = (name: string, expected: string) => settles(async () => expect(`${name} ${await flags(name)}`).toBe(`${name} ${expected}`))

const status = (name: string, expected: object) =>
  settles(async () => expect((await client.get<Schedule>(ref(SCHEDULE, name))).status ?? {}).toEqual(expected))

/** What stays true for a while, in which nothing is written. */
async function nothingMore(): Promise<void> {
  const before = writes.length
  for (let round = 0; round < 20; round++) {
    await clock.advance(A_MOMENT_MS)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(writes.slice(before)).toEqual([])
}

const CLOSED = { nextStartTime: '2026-01-02T02:00:00Z', matchingClusters: ['one', 'two'] }
const OPEN = { active: true, nextStartTime: '2026-01-03T02:00:00Z', matchingClusters: ['one', 'two'] }

test('a window opens and closes, with one write for each object and change', async () => {
  await Promise.all([createCluster('one'), createCluster('two')])
  await createSchedule('nightly')
  await start()
  await status('nightly', CLOSED)
  await Promise.all([cluster('one', 'held'), cluster('two', 'held')])
  expect((await client.get<Schedule>(ref(SCHEDULE, 'nightly'))).metadata.finalizers).toEqual([SCHEDULE_FINALIZER])
  await nothingMore()
  writes = []
  await clock.advance(1.5 * HOUR)
  await status('nightly', OPEN)
  await Promise.all([cluster('one', 'open'), cluster('two', 'open')])
  await clock.advance(HOUR)
  await status('nightly', { ...CLOSED, nextStartTime: '2026-01-03T02:00:00Z' })
  await Promise.all([cluster('one', 'held'), cluster('two', 'held')])
  await nothingMore()
  expect(writes.sort()).toEqual(['Cluster one', 'Cluster one', 'Cluster two', 'Cluster two', 'Schedule nightly', 'Schedule nightly'])
})

test('a restart in the middle of a window writes nothing, and closes it in time', async () => {
  await Promise.all([createCluster('one'), createCluster('two')])
  await createSchedule('nightly')
  await start()
  await clock.advance(1.6 * HOUR)
  await status('nightly', OPEN)
  await Promise.all([cluster('one', 'open'), cluster('two', 'open')])
  await restart()
  await nothingMore()
  expect([await flags('one'), writes]).toEqual(['open', []])
  await clock.advance(HOUR)
  await Promise.all([cluster('one', 'held'), cluster('two', 'held')])
})

test('a window that ended while nobody was there is closed at the start', async () => {
  await createCluster('one')
  await createSchedule('nightly')
  await start()
  await clock.advance(1.6 * HOUR)
  await cluster('one', 'open')
  await stop?.()
  await clock.advance(2 * HOUR)
  await restart()
  await cluster('one', 'held')
})

test('deleting a schedule frees its clusters, but for those of others', async () => {
  await Promise.all([createCluster('one', { env: 'prod' }), createCluster('two')])
  await createSchedule('nightly')
  await createSchedule('prod', { targets: { clusters: [{ clusterSelector: { matchLabels: { env: 'prod' } } }] } })
  await start()
  await Promise.all([cluster('one', 'held'), cluster('two', 'held')])
  await status('prod', { ...CLOSED, matchingClusters: ['one'] })
  await client.delete(ref(SCHEDULE, 'nightly'))
  await cluster('two', 'free')
  await settles(async () => expect(await client.find(ref(SCHEDULE, 'nightly'))).toBeUndefined())
  expect(await flags('one')).toBe('held')
  await nothingMore()
})

test('clusters come and go with their labels, and with the targets', async () => {
  await Promise.all([createCluster('one', { env: 'prod' }), createCluster('two', { env: 'dev' })])
  const of = (env: string) => ({ targets: { clusters: [{ clusterSelector: { matchLabels: { env } } }] } })
  await createSchedule('some', of('prod'))
  await start()
  await cluster('one', 'held')
  await client.patch(ref(CLUSTER, 'two'), { metadata: { labels: { env: 'prod' } } }, { type: 'merge' })
  await status('some', CLOSED)
  await cluster('two', 'held')
  await client.patch(ref(CLUSTER, 'one'), { metadata: { labels: { env: null } } }, { type: 'merge' })
  await cluster('one', 'free')
  await client.patch(ref(SCHEDULE, 'some'), { spec: of('none') }, { type: 'merge' })
  await cluster('two', 'free')
  await status('some', { nextStartTime: CLOSED.nextStartTime })
})

test('a schedule that breaks holds what it held, says why, and goes on when it is mended', async () => {
  await Promise.all([createCluster('one'), createCluster('two')])
  await createSchedule('nightly')
  await start()
  await status('nightly', CLOSED)
  await client.patch(ref(SCHEDULE, 'nightly'), { spec: { location: 'Nowhere/Land' } }, { type: 'merge' })
  const message = 'location: "Nowhere/Land" is not a time zone: write an IANA name such as Europe/Berlin or UTC'
  const conditions = [expect.objectContaining({ type: 'Ready', status: 'False', message })]
  await status('nightly', { matchingClusters: ['one', 'two'], conditions })
  expect(await flags('one')).toBe('held')
  await createCluster('three')
  await nothingMore()
  expect(told).toEqual([`nightly Warning ScheduleInvalid ${message}`])
  await client.patch(ref(SCHEDULE, 'nightly'), { spec: { location: 'UTC' } }, { type: 'merge' })
  await status('nightly', { ...CLOSED, matchingClusters: ['one', 'three', 'two'] })
})

test('an agent that reports at the same time loses nothing', async () => {
  await createCluster('one')
  await createSchedule('nightly')
  await start()
  const lastSeen = '2026-01-01T00:00:00Z'
  for (let round = 0; round < 10; round++) {
    await client.patch(
      ref(CLUSTER, 'one'),
      { status: { agent: { lastSeen, namespace: `round-${round}` } } },
      { type: 'merge', subresource: 'status' },
    )
    await clock.advance(A_MOMENT_MS)
  }
  await cluster('one', 'held')
  expect((await client.get<Cluster>(ref(CLUSTER, 'one'))).status?.agent).toEqual({ lastSeen, namespace: 'round-9' })
})

test('flags that no schedule knows of are taken back', async () => {
  await createCluster('one')
  await client.patch(ref(CLUSTER, 'one'), { status: { scheduled: true } }, { type: 'merge', subresource: 'status' })
  await start()
  await cluster('one', 'free')
})

test('a shard takes care of its own schedules only', async () => {
  await Promise.all([createCluster('one', { env: 'prod' }), createCluster('two')])
  const prod = { targets: { clusters: [{ clusterSelector: { matchLabels: { env: 'prod' } } }] } }
  await createSchedule('sharded', prod, { [SHARD_REF_LABEL]: 'x' })
  await createSchedule('nightly')
  await start('x')
  await cluster('one', 'held')
  await nothingMore()
  expect(await flags('two')).toBe('free')
  expect((await client.get<Schedule>(ref(SCHEDULE, 'nightly'))).status ?? {}).toEqual({})
  expect(writes).not.toContain('Schedule nightly')
})
