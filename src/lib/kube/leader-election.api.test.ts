import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testCluster } from '../../testing/cluster.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { type FaultProxy, startFaultProxy } from '../../testing/fault-proxy.ts'
import { clientOf, createNamespace, eventually } from '../../testing/kube.ts'
import { systemClock } from '../controller/clock.ts'
import { silentLogger } from '../controller/log.ts'
import type { KubeClient } from './client.ts'
import { type LeaderElectionOptions, type LeadershipEnd, runLeaderElected } from './leader-election.ts'
import { createLeaseLock, type Lease } from './lease.ts'

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const
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
  const times = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 300 }
  const shared = { client, namespace, name, identity, ...times, clock: systemClock, log: silentLogger, signal: stop.signal, lead }
  return { stop, ended: runLeaderElected({ ...shared, ...options }), isLeading: () => leading }
}

async function lease(name: string): Promise<Lease> {
  return client.get<Lease>({ ...LEASE, namespace, name })
}

describe('leader election', () => {
  test('has one leader; when it stops the next one takes over at once', async () => {
    const a = candidate('handover', 'a')
    await eventually('a leads', a.isLeading)
    const b = candidate('handover', 'b')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(b.isLeading()).toBe(false)
    const held = (await lease('handover')).spec
    expect(held).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 3, leaseTransitions: 0 })
    expect(held?.renewTime).toMatch(MICRO_TIME)
    expect(held?.acquireTime).toMatch(MICRO_TIME)

    const startedAt = Date.now()
    a.stop.abort()
    expect(await a.ended).toBe('stopped')
    await eventually('b leads', b.isLeading)
    expect(Date.now() - startedAt).toBeLessThan(2_000)
    expect((await lease('handover')).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2 - 1 })
    b.stop.abort()
    expect(await b.ended).toBe('stopped')
    expect((await lease('handover')).spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
  })

  test('ends when the API server cannot be reached before the lease runs out', async () => {
    const through = await clientOf(proxy.kubeconfig)
    const a = candidate('unreachable', 'a', { client: through })
    await eventually('a leads', a.isLeading)
    proxy.fail({ status: 500, count: Number.POSITIVE_INFINITY })
    const startedAt = Date.now()
    expect(await a.ended).toBe('lost')
    expect(a.isLeading()).toBe(false)
    expect(Date.now() - startedAt).toBeLessThan(2_700)
    proxy.resume()
    await through.close()
  })

  test('work that does not end with a lost lease is reported before the lease runs out', async () => {
    const through = await clientOf(proxy.kubeconfig)
    let overrunAt = 0
    const lead = () => new Promise<void>(() => {})
    const onOverrun = (): void => {
      overrunAt = Date.now()
    }
    const a = candidate('overrun', 'a', { client: through, lead, onOverrun })
    await eventually('a leads', async () => (await client.find<Lease>({ ...LEASE, namespace, name: 'overrun' })) !== undefined)
    proxy.fail({ status: 500, count: Number.POSITIVE_INFINITY })
    const startedAt = Date.now()
    expect(await a.ended).toBe('lost')
    expect(overrunAt).toBeGreaterThan(startedAt)
    expect(overrunAt - startedAt).toBeLessThan(3_000)
    proxy.resume()
    await through.close()
  })

  test('survives errors that end before the deadline', async () => {
    const through = await clientOf(proxy.kubeconfig)
    const a = candidate('flaky', 'a', { client: through })
    await eventually('a leads', a.isLeading)
    proxy.fail({ status: 500, count: 3 })
    proxy.cut()
    await new Promise((resolve) => setTimeout(resolve, 2_500))
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
    let finish = (): void => {}
    const work = new Promise<void>((resolve) => {
      finish = resolve
    })
    const a = candidate('slow', 'a', { lead: () => work })
    await eventually('a leads', async () => (await client.find<Lease>({ ...LEASE, namespace, name: 'slow' })) !== undefined)
    a.stop.abort()
    const b = candidate('slow', 'b')
    await new Promise((resolve) => setTimeout(resolve, 3_500))
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
    expect(await holder.acquireOrRenew({ timeoutMs: 5_000 })).toEqual({ held: true, holder: 'holder' })
    expect(await rival.acquireOrRenew({ timeoutMs: 5_000 })).toEqual({ held: false, holder: 'holder' })
    await ours.advance(14_000)
    await theirs.advance(1_000)
    expect((await holder.acquireOrRenew({ timeoutMs: 5_000 })).held).toBe(true)
    expect((await rival.acquireOrRenew({ timeoutMs: 5_000 })).held).toBe(false)
    await ours.advance(14_999)
    expect((await rival.acquireOrRenew({ timeoutMs: 5_000 })).held).toBe(false)
    await ours.advance(1)
    expect((await rival.acquireOrRenew({ timeoutMs: 5_000 })).held).toBe(true)
    expect((await holder.acquireOrRenew({ timeoutMs: 5_000 })).held).toBe(false)
    await holder.release(5_000)
    expect((await lease('skew')).spec).toMatchObject({ holderIdentity: 'rival', leaseTransitions: 1 })
  })
})
