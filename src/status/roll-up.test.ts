import { expect, test } from 'vitest'
import type { Cluster } from '../api/cluster.ts'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError } from '../lib/kube/errors.ts'
import type { Informer, InformerEvent } from '../lib/kube/informer.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import type { StatusInformers } from './informers.ts'
import { cluster } from './objects.testing.ts'
import { createRollUp, type Folded, USUAL_PACE } from './roll-up.ts'

interface Patch {
  metadata: { resourceVersion: string }
  status: object
}

/** A roll-up over one cluster `ws/one` in a cache that follows writes only when told to. */
function setup(fold: (object: Cluster) => Folded | undefined, handles?: () => boolean) {
  const clock = createFakeClock()
  const handlers = new Set<(event: InformerEvent<Cluster>) => void>()
  let cached: Cluster | undefined = versioned(1)
  const informer: Informer<Cluster> = {
    synced: true,
    get: () => cached,
    list: () => [],
    by: () => [],
    subscribe: (handler) => {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    waitSynced: async () => {},
  }
  const patches: (Patch & { at: number })[] = []
  const failures: Error[] = []
  const patch = async (_ref: object, body: Patch) => {
    const failure = failures.shift()
    if (failure) throw failure
    patches.push({ ...body, at: clock.now() - start })
    return { ...versioned(Number(body.metadata.resourceVersion) + 1), status: { ...cached?.status, ...body.status } }
  }
  const { controller } = createRollUp<Cluster>(
    { client: { patch } as unknown as KubeClient, informers: {} as StatusInformers, log: silentLogger, clock, workers: 1, handles },
    { name: 'test', informer, owned: ['summary'], pace: USUAL_PACE, fold },
  )
  const start = clock.now()
  const stop = new AbortController()
  void controller.run(stop.signal)
  function emit(next: Cluster | undefined = cached): void {
    cached = next
    for (const handler of handlers) handler({ type: 'modified', object: next ?? versioned(1) })
  }
  return { clock, patches, failures, emit, gone: () => (cached = undefined) }
}

function versioned(version: number, ready = 0): Cluster {
  const object = cluster('one', { summary: { ready } })
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
}

test('writes what differs, and nothing when nothing does', async () => {
  let ready = 0
  const { clock, patches, emit } = setup(() => ({ status: { summary: { ready } } }))
  emit()
  await clock.advance(10_000)
  expect(patches).toEqual([])
  ready = 1
  emit()
  await clock.advance(10_000)
  expect(patches).toEqual([{ metadata: { resourceVersion: '1' }, status: { summary: { ready: 1 } }, at: 10_250 }])
})

test('a long burst costs a write every three seconds, and one when it is over', async () => {
  let ready = 0
  const { clock, patches, emit } = setup(() => ({ status: { summary: { ready } } }))
  for (let i = 0; i < 100; i++) {
    ready++
    emit()
    await clock.advance(100)
  }
  await clock.advance(10_000)
  expect(patches.length).toBeLessThanOrEqual(6)
  expect(patches.at(-1)).toMatchObject({ status: { summary: { ready: 100 } } })
  expect(patches.at(-1)?.at).toBeLessThanOrEqual(10_000 + 1_100)
})

test('while the cache lags, the next write builds on the last one', async () => {
  let ready = 1
  const { clock, patches, emit } = setup(() => ({ status: { summary: { ready } } }))
  emit()
  await clock.advance(1_000)
  emit()
  await clock.advance(2_000)
  expect(patches).toHaveLength(1)
  ready = 2
  emit()
  await clock.advance(2_000)
  expect(patches.map(({ metadata }) => metadata.resourceVersion)).toEqual(['1', '2'])
})

test('a conflict waits for the cache and goes on from there', async () => {
  const { clock, patches, failures, emit } = setup(() => ({ status: { summary: { ready: 5 } } }))
  failures.push(new ApiError({ status: 409, reason: 'Conflict', message: 'changed meanwhile' }))
  emit()
  await clock.advance(255)
  expect([patches, failures]).toEqual([[], []])
  emit(versioned(7))
  await clock.advance(1_000)
  expect(patches.map(({ metadata }) => metadata.resourceVersion)).toEqual(['7'])
})

test('a state that does not last is not written', async () => {
  let state = 'WaitApplied'
  const { clock, patches, emit } = setup(() => ({
    status: { summary: { ready: state === 'Ready' ? 1 : 2 } },
    minAgeMs: state === 'Ready' ? 0 : 1_000,
  }))
  emit()
  await clock.advance(600)
  state = 'Ready'
  emit()
  await clock.advance(5_000)
  expect(patches.map(({ status }) => status)).toEqual([{ summary: { ready: 1 } }])
  state = 'WaitApplied'
  emit()
  await clock.advance(5_000)
  expect(patches).toHaveLength(2)
})

test('objects of others, deleted ones and those with nothing to say are left alone', async () => {
  const others = setup(
    () => ({ status: { summary: { ready: 1 } } }),
    () => false,
  )
  const deleted = setup(() => ({ status: { summary: { ready: 1 } } }))
  const silent = setup(() => undefined)
  deleted.gone()
  for (const { emit, clock } of [others, deleted, silent]) {
    emit()
    await clock.advance(5_000)
  }
  expect([others, deleted, silent].map(({ patches }) => patches.length)).toEqual([0, 0, 0])
})
