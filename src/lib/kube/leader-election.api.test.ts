import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { testCluster } from '../../testing/cluster.ts'
import { createFakeClock, type FakeClock } from '../../testing/fake-clock.ts'
import { type FaultProxy, startFaultProxy } from '../../testing/fault-proxy.ts'
import { clientOf, createNamespace, eventually } from '../../testing/kube.ts'
import { systemClock } from '../controller/clock.ts'
import { silentLogger } from '../controller/log.ts'
import type { KubeClient } from './client.ts'
import { type LeaderElectionOptions, type LeadershipEnd, runLeaderElected } from './leader-election.ts'
import { createLeaseLock, type Lease } from './lease.ts'

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const
const CALL = { timeoutMs: 30_000 } as const
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

let client: KubeClient
let proxy: FaultProxy
let namespace: string

beforeAll(async () => {
  const { url, ca, token, kubeconfig } = testCluster('hub')
  client = await clientOf(kubeconfig)
  proxy = await startFaultProxy({ target: { url, ca, token } })
  namespace = await createNamespace(client, 'lease')
})

afterEach(() => proxy.resume())

afterAll(async () => {
  await client?.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
  await proxy?.stop()
  await client?.close()
})

interface Candidate {
  readonly stop: AbortController
  readonly ended: Promise<LeadershipEnd>
  readonly isLeading: () => boolean
}

function candidate(name: string, identity: string, options: Partial<LeaderElectionOptions> = {}): Candidate {
  const stop = new AbortController()
  let leading = false
  const lead = async (signal: AbortSignal): Promise<void> => {
    leading = true
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    leading = false
  }
  // a busy machine may stand still for seconds
  const times = { leaseDurationMs: 10_000, renewDeadlineMs: 8_000, retryPeriodMs: 300 }
  const shared = { client, namespace, name, identity, ...times, clock: systemClock, log: silentLogger, signal: stop.signal, lead }
  return { stop, ended: runLeaderElected({ ...shared, ...options }), isLeading: () => leading }
}

async function lease(name: string): Promise<Lease> {
  return client.get<Lease>({ ...LEASE, namespace, name })
}

/** A lease for a clock that the test moves: what counts is its time, however long the requests take on ours. */
const SLOW = { leaseDurationMs: 30_000, renewDeadlineMs: 20_000 } as const

/** Moves the clock on, in small steps and with time for requests, until `work` has ended. */
async function moveUntil<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let hasEnded = false
  const end = (): void => {
    hasEnded = true
  }
  work.then(end, end)
  while (!hasEnded) {
    await clock.advance(50)
    await pause(5)
  }
  return work
}

describe('leader election', () => {
  test('has one leader; when it stops the next one takes over at once', async () => {
    const a = candidate('handover', 'a')
    await eventually('a leads', a.isLeading)
    const b = candidate('handover', 'b')
    await pause(1_000)
    expect(b.isLeading()).toBe(false)
    const held = (await lease('handover')).spec
    expect(held).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 10, leaseTransitions: 0 })
    expect(held?.renewTime).toMatch(MICRO_TIME)
    expect(held?.acquireTime).toMatch(MICRO_TIME)

    const startedAt = Date.now()
    a.stop.abort()
    expect(await a.ended).toBe('stopped')
    await eventually('b leads', b.isLeading)
    expect(Date.now() - startedAt).toBeLessThan(8_000) // the lease would have been good for longer
    expect((await lease('handover')).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2 - 1 })
    b.stop.abort()
    expect(await b.ended).toBe('stopped')
    expect((await lease('handover')).spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
  })

  test('ends when the API server cannot be reached before the lease runs out', async () => {
    const through = await clientOf(proxy.kubeconfig)
    const clock = createFakeClock()
    const a = candidate('unreachable', 'a', { ...SLOW, client: through, clock })
    await eventually('a leads', a.isLeading)
    proxy.fail({ status: 500, count: Number.POSITIVE_INFINITY })
    const startedAt = clock.now()
    expect(await moveUntil(clock, a.ended)).toBe('lost')
    expect(a.isLeading()).toBe(false)
    expect(clock.now() - startedAt).toBeLessThan(SLOW.leaseDurationMs)
    await through.close()
  })

  test('work that does not end with a lost lease is reported before the lease runs out', async () => {
    const through = await clientOf(proxy.kubeconfig)
    const clock = createFakeClock()
    let leads = false
    let overrunAt = 0
    const lead = (): Promise<void> => {
      leads = true
      return new Promise(() => {})
    }
    const onOverrun = (): void => {
      overrunAt = clock.now()
    }
    const a = candidate('overrun', 'a', { ...SLOW, client: through, clock, lead, onOverrun })
    await eventually('a leads', () => leads)
    proxy.fail({ status: 500, count: Number.POSITIVE_INFINITY })
    const startedAt = clock.now()
    expect(await moveUntil(clock, a.ended)).toBe('lost')
    expect(overrunAt).toBeGreaterThan(startedAt)
    expect(overrunAt - startedAt).toBeLessThan(SLOW.leaseDurationMs)
    await through.close()
  })

  test('survives errors that end before the deadline', async () => {
    const through = await clientOf(proxy.kubeconfig)
    const a = candidate('flaky', 'a', { client: through })
    await eventually('a leads', a.isLeading)
    const failedAt = Date.now()
    proxy.fail({ status: 500, count: 3 })
    proxy.cut()
    await eventually('a renews again', async () => Date.parse((await lease('flaky')).spec?.renewTime ?? '') > failedAt)
    expect(a.isLeading()).toBe(true)
    a.stop.abort()
    expect(await a.ended).toBe('stopped')
    await through.close()
  })

  test('ends when somebody else took the lease', async () => {
    const a = candidate('stolen', 'a')
    await eventually('a leads', a.isLeading)
    await client.patch({ ...LEASE, namespace, name: 'stolen' }, { spec: { holderIdentity: 'thief' } }, { type: 'merge' })
    expect(await a.ended).toBe('lost')
    expect((await lease('stolen')).spec?.holderIdentity).toBe('thief')
  })

  test('waits and says why when there is no namespace for the lease', async () => {
    const lines: object[] = []
    const log = { ...silentLogger, child: () => log, info: (fields: object) => lines.push(fields) }
    const a = candidate('nowhere', 'a', { namespace: 'does-not-exist', log })
    await eventually('it was logged', () => lines.length > 0)
    expect(lines).toEqual([{ state: 'error: namespaces "does-not-exist" not found' }])
    a.stop.abort()
    expect(await a.ended).toBe('stopped')
  })

  test('passes on what the work rejects with, and gives the lease back', async () => {
    const a = candidate('broken', 'a', { lead: async () => Promise.reject(new Error('broken work')) })
    await expect(a.ended).rejects.toThrow('broken work')
    expect((await lease('broken')).spec?.holderIdentity).toBe('')
    const b = candidate('broken', 'b', { lead: async () => {} })
    expect(await b.ended).toBe('done')
  })

  test('keeps the lease while the work is ending', async () => {
    let leads = false
    let finish = (): void => {}
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    const lead = (): Promise<void> => {
      leads = true
      return work
    }
    const times = { leaseDurationMs: 6_000, renewDeadlineMs: 5_000 }
    const a = candidate('slow', 'a', { ...times, lead })
    await eventually('a leads', () => leads)
    a.stop.abort()
    const b = candidate('slow', 'b', times)
    await pause(times.leaseDurationMs + 1_000)
    expect(b.isLeading()).toBe(false)
    finish()
    expect(await a.ended).toBe('stopped')
    await eventually('b leads', b.isLeading)
    b.stop.abort()
    await b.ended
  })
})

describe('a lease', () => {
  test('is taken over only after it did not change for its duration on our own clock', async () => {
    const ours = createFakeClock()
    const theirs = createFakeClock(Date.UTC(2020, 0, 1)) // years behind
    const common = { client, namespace, name: 'skew', leaseDurationMs: 15_000 }
    const holder = createLeaseLock({ ...common, identity: 'holder', clock: theirs })
    const rival = createLeaseLock({ ...common, identity: 'rival', clock: ours })
    expect(await holder.acquireOrRenew(CALL)).toEqual({ held: true, holder: 'holder' })
    expect(await rival.acquireOrRenew(CALL)).toEqual({ held: false, holder: 'holder' })
    await ours.advance(14_000)
    await theirs.advance(1_000)
    expect((await holder.acquireOrRenew(CALL)).held).toBe(true)
    expect((await rival.acquireOrRenew(CALL)).held).toBe(false)
    await ours.advance(14_999)
    expect((await rival.acquireOrRenew(CALL)).held).toBe(false)
    await ours.advance(1)
    expect((await rival.acquireOrRenew(CALL)).held).toBe(true)
    expect((await holder.acquireOrRenew(CALL)).held).toBe(false)
    await holder.release(CALL.timeoutMs)
    expect((await lease('skew')).spec).toMatchObject({ holderIdentity: 'rival', leaseTransitions: 1 })
  })
})
