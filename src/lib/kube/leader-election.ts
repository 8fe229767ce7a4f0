// One of several processes works, the others wait.
import { type Clock, sleep } from '../controller/clock.ts'
import { messageOf } from '../controller/errors.ts'
import type { Logger } from '../controller/log.ts'
import type { KubeClient } from './client.ts'
import { createLeaseLock, type LeaseLock } from './lease.ts'

export interface LeaderElectionOptions {
  client: KubeClient
  /** Of the Lease. */
  namespace: string
  name: string
  /** Unique among all processes that compete. */
  identity: string
  /** After this time without renewal others take over. */
  leaseDurationMs: number
  /** After this time without renewal the leader stops by itself; less than the lease's duration. */
  renewDeadlineMs: number
  /** Time between renewals, and between attempts to become leader. */
  retryPeriodMs: number
  clock: Clock
  log: Logger
  signal: AbortSignal
  /** The work of the leader. It ends soon after its signal is aborted: by `signal`, or because the lease was lost. */
  lead(signal: AbortSignal): Promise<void>
  /** Called when the work of a lost lease goes on although others may begin with it now: end the process, it must write nothing more. */
  onOverrun?: () => void
  /** A number in [0, 1), for jitter. */
  random?: () => number
}

/** How it ended: `signal` was aborted, the work ended by itself, or somebody else may be leader now. */
export type LeadershipEnd = 'stopped' | 'done' | 'lost'

/** How long a leader that lost its lease is waited for at most; never longer than the lease. */
const LOST_GRACE_MS = 10_000
/** Of the time between deadline and end of the lease, the part in which the work may still end: clocks run at different speeds. */
const USABLE_REST = 0.8
const RELEASE_TIMEOUT_MS = 2_000
/** An attempt needs some time, however near the deadline is. */
const MIN_ATTEMPT_MS = 500

/**
 * Waits for the lease, works, gives the lease back. While the work is ending after an abort of `signal` the lease is still renewed.
 * Rejects with what `lead` rejects with; failures of the API server are retried until the deadline.
 */
export async function runLeaderElected(options: LeaderElectionOptions): Promise<LeadershipEnd> {
  const { clock, signal, lead, name, namespace, identity } = options
  const log = options.log.child({ lease: `${namespace}/${name}`, identity })
  const lock = createLeaseLock(options)
  const acquiredAt = await acquire(lock, options, log)
  if (acquiredAt === undefined) return 'stopped'
  log.info({}, 'became leader')

  const leading = new AbortController()
  const ended = new AbortController()
  const onAbort = (): void => leading.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  const work = (async () => lead(leading.signal))().finally(() => ended.abort())
  work.catch(() => {}) // heard of below
  try {
    const { held, graceMs } = await keep(lock, acquiredAt, options, log, ended.signal)
    if (!held) {
      log.error({ graceMs }, 'lease is lost, stopping')
      leading.abort(new Error(`the lease ${namespace}/${name} is lost`))
      const finished = work.catch((error: unknown) => log.debug({ error: messageOf(error) }, 'work ended after the lease was lost'))
      await Promise.race([finished, sleep(clock, graceMs, ended.signal).catch(() => {})])
      if (!ended.signal.aborted) options.onOverrun?.()
      return 'lost'
    }
    await release(lock, log)
    await work
    return signal.aborted ? 'stopped' : 'done'
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Time at which the lease became ours; undefined when the signal came first. */
async function acquire(lock: LeaseLock, options: LeaderElectionOptions, log: Logger): Promise<number | undefined> {
  const { clock, signal, retryPeriodMs, renewDeadlineMs, random = Math.random } = options
  let reported: string | undefined
  while (!signal.aborted) {
    const startedAt = clock.now()
    const state = await lock.acquireOrRenew({ timeoutMs: renewDeadlineMs, signal }).then(
      ({ held, holder }) => (held ? undefined : `held by ${holder || 'another'}`),
      (error: unknown) => `error: ${messageOf(error)}`,
    )
    if (state === undefined) return startedAt
    if (state !== reported && !signal.aborted) log.info({ state }, 'waiting for the lease')
    reported = state
    await sleep(clock, retryPeriodMs * (1 + 0.2 * random()), signal).catch(() => {}) // aborted: the loop ends
  }
  return undefined
}

/** Whether the lease is still held; if not, how long it is still nobody else's. */
interface Kept {
  readonly held: boolean
  readonly graceMs: number
}

const HELD: Kept = { held: true, graceMs: 0 }
const TAKEN: Kept = { held: false, graceMs: 0 }

/** Renews until `ended` or until the lease is lost. */
async function keep(lock: LeaseLock, acquiredAt: number, options: LeaderElectionOptions, log: Logger, ended: AbortSignal): Promise<Kept> {
  const { clock, retryPeriodMs, renewDeadlineMs, leaseDurationMs } = options
  let renewedAt = acquiredAt
  let pauseMs = retryPeriodMs
  while (!ended.aborted) {
    const left = renewedAt + renewDeadlineMs - clock.now()
    await sleep(clock, Math.min(pauseMs, Math.max(left, 0)), ended).catch(() => {}) // ended: the loop ends
    if (ended.aborted) return HELD
    const startedAt = clock.now()
    const remaining = renewedAt + renewDeadlineMs - startedAt
    if (remaining <= 0) {
      const rest = (renewedAt + leaseDurationMs - startedAt) * USABLE_REST
      return { held: false, graceMs: Math.min(Math.max(rest, 0), LOST_GRACE_MS) }
    }
    try {
      const { held, holder } = await lock.acquireOrRenew({ timeoutMs: Math.max(Math.min(remaining, retryPeriodMs), MIN_ATTEMPT_MS) })
      if (!held && holder !== '') return TAKEN
      if (held) renewedAt = startedAt
      pauseMs = held ? retryPeriodMs : retryPeriodMs / 4
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'cannot renew the lease, retrying')
      pauseMs = retryPeriodMs / 4
    }
  }
  return HELD
}

async function release(lock: LeaseLock, log: Logger): Promise<void> {
  try {
    await lock.release(RELEASE_TIMEOUT_MS)
    log.info({}, 'gave the lease back')
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'cannot give the lease back, others will wait until it expires')
  }
}
