// A lock that several processes share: one coordination/v1 Lease, understood as client-go does, so that both can compete for it.
import type { Clock } from '../controller/clock.ts'
import type { CallOptions, KubeClient } from './client.ts'
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts'
import type { KubeObject } from './types.ts'

/** `coordination.k8s.io/v1` Lease. */
export interface Lease extends KubeObject {
  spec?: LeaseSpec
}

interface LeaseSpec {
  holderIdentity?: string | null
  leaseDurationSeconds?: number | null
  /** MicroTime: RFC 3339 with six decimals. */
  acquireTime?: string | null
  renewTime?: string | null
  leaseTransitions?: number | null
}

export interface LeaseLockOptions {
  client: KubeClient
  namespace: string
  name: string
  /** Unique among all processes that compete. */
  identity: string
  leaseDurationMs: number
  clock: Clock
}

/** What an attempt found: the lock is ours, or that of the named holder (or of whoever was faster). */
export interface LeaseAttempt {
  readonly held: boolean
  readonly holder: string
}

export interface LeaseLock {
  /** Takes the lock if it is free or its holder stopped renewing, renews it if it is ours. Throws what the client throws. */
  acquireOrRenew(call: CallOptions): Promise<LeaseAttempt>
  /** Gives the lock back if it is ours, so that others need not wait. */
  release(timeoutMs: number): Promise<void>
}

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const

/**
 * The lock on one Lease. Whether a holder is alive is judged by when we saw the Lease change, on our own clock: clocks of machines may differ.
 */
export function createLeaseLock(options: LeaseLockOptions): LeaseLock {
  const { client, namespace, name, identity, leaseDurationMs, clock } = options
  const ref = { ...LEASE, namespace, name }
  let known: Lease | undefined
  let seenSpec = ''
  let seenAt = 0

  function observe(lease: Lease): Lease {
    const spec = JSON.stringify(lease.spec ?? {})
    if (spec !== seenSpec) {
      seenSpec = spec
      seenAt = clock.now()
    }
    known = lease
    return lease
  }

  function isAlive({ spec }: Lease): boolean {
    return clock.now() < seenAt + (spec?.leaseDurationSeconds ?? 0) * 1_000
  }

  function nextSpec(spec: LeaseSpec): LeaseSpec {
    const now = microTime(clock.now())
    const renewed = spec.holderIdentity === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1_000),
      acquireTime: renewed ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (renewed ? 0 : 1),
    }
  }

  async function create(call: CallOptions): Promise<LeaseAttempt> {
    const spec = { ...nextSpec({}), leaseTransitions: 0 }
    observe(await client.create<Lease>({ ...LEASE, metadata: { namespace, name }, spec }, call))
    return { held: true, holder: identity }
  }

  async function attempt(lease: Lease, call: CallOptions): Promise<LeaseAttempt> {
    const holder = lease.spec?.holderIdentity ?? ''
    if (holder !== '' && holder !== identity && isAlive(lease)) return { held: false, holder }
    observe(await client.update<Lease>({ ...lease, spec: nextSpec(lease.spec ?? {}) }, call))
    return { held: true, holder: identity }
  }

  async function acquireOrRenew(call: CallOptions): Promise<LeaseAttempt> {
    // what we wrote last is most likely still there: one request instead of two
    if (known?.spec?.holderIdentity === identity) {
      const renewed = await attempt(known, call).catch(undefinedIfOutdated)
      if (renewed) return renewed
    }
    const lease = await client.find<Lease>(ref, call)
    const result = lease ? attempt(observe(lease), call).catch(undefinedIfOutdated) : create(call).catch(undefinedIfFaster)
    return (await result) ?? { held: false, holder: '' }
  }

  return {
    acquireOrRenew,
    async release(timeoutMs) {
      if (known?.spec?.holderIdentity !== identity) return
      const now = microTime(clock.now())
      const spec = { ...known.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now }
      await client.update<Lease>({ ...known, spec }, { timeoutMs }).catch(undefinedIfOutdated)
      known = undefined
    },
  }
}

/** Somebody else wrote the Lease, or removed it: look again. */
function undefinedIfOutdated(error: unknown): undefined {
  if (!isConflict(error) && !isNotFound(error)) throw error
}

/** Somebody else created the Lease first. */
function undefinedIfFaster(error: unknown): undefined {
  if (!isAlreadyExists(error)) throw error
}

/** A MicroTime, from milliseconds since 1970. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
