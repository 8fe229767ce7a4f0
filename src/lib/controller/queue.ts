import type { Clock } from './clock.ts'
import { createDelayHeap } from './delay-heap.ts'
import type { ControllerMetrics } from './metrics.ts'

/**
 * A queue of keys. A key is in it once however often it is added, is never handed out to two workers at a time,
 * and if it is added while somebody works on it, it comes again after `done`.
 */
export interface WorkQueue {
  /** Keys ready to be taken. */
  readonly depth: number
  add(key: string): void
  /** Adds the key after `ms`; of several such wishes the earliest holds, each is fulfilled once. */
  addAfter(key: string, ms: number): void
  /** The worker's own wish to see the key again after `ms`. It lapses as soon as the key is taken for another reason: that worker decides anew. */
  retryAfter(key: string, ms: number): void
  /** Like `retryAfter` with a delay that doubles with each failure in a row, and is at least `minMs`. Returns the delay. */
  retry(key: string, minMs?: number): number
  /** Ends the row of failures. */
  forget(key: string): void
  /** The next key to work on; the caller calls `done` with it. */
  take(): string | undefined
  done(key: string): void
  /** Ends all delays and refuses keys from now on; what is being worked on can still be `done`. */
  close(): void
}

export interface BackoffOptions {
  /** Delay after the first failure; default 5 ms. */
  baseMs?: number
  /** Longest delay; default 60 s. */
  maxMs?: number
}

export interface WorkQueueOptions {
  name: string
  clock: Clock
  /** Called whenever a key became ready; must not throw. */
  onReady: () => void
  backoff?: BackoffOptions | undefined
  metrics?: ControllerMetrics | undefined
}

/** Beyond this many doublings every base has reached every cap. */
const MAX_DOUBLINGS = 50

/** The array of ready keys is cut at its front when this many were taken and they are the greater part. */
const COMPACT_AT = 1_024

/** An empty work queue. All delays share one timer. */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, onReady, metrics, name } = options
  const baseMs = options.backoff?.baseMs ?? 5
  const maxMs = options.backoff?.maxMs ?? 60_000
  const labels = { name, controller: name }

  let ready: string[] = []
  let head = 0
  const dirty = new Map<string, number>() // waiting keys, with the time of their first add
  const processing = new Map<string, number>() // keys being worked on, with the time they were taken
  const failures = new Map<string, number>()
  const wishes = createDelayHeap()
  const retries = createDelayHeap()
  let timer: { handle: unknown; at: number } | undefined
  let closed = false

  function add(key: string): void {
    if (closed || dirty.has(key)) return
    metrics?.count('workqueue_adds_total', labels)
    dirty.set(key, clock.now())
    if (!processing.has(key)) push(key)
  }

  function push(key: string): void {
    ready.push(key)
    reportDepth()
    onReady()
  }

  function reportDepth(): void {
    metrics?.set('workqueue_depth', labels, ready.length - head)
  }

  function shift(): string | undefined {
    if (head === ready.length) return undefined
    const key = ready[head++]
    if (head >= COMPACT_AT && head * 2 > ready.length) {
      ready = ready.slice(head)
      head = 0
    }
    return key
  }

  function arm(): void {
    const at = Math.min(wishes.nextAt() ?? Infinity, retries.nextAt() ?? Infinity)
    if (at === timer?.at) return
    if (timer) clock.clearTimeout(timer.handle)
    timer = at === Infinity ? undefined : { at, handle: clock.setTimeout(onTimer, at - clock.now()) }
  }

  function onTimer(): void {
    timer = undefined
    const now = clock.now()
    for (const heap of [wishes, retries]) {
      for (let key = heap.popDue(now); key !== undefined; key = heap.popDue(now)) add(key)
    }
    arm()
  }

  function schedule(heap: typeof wishes, key: string, ms: number): void {
    if (ms <= 0) add(key)
    else if (!closed) heap.add(key, clock.now() + ms)
    arm()
  }

  function retryAfter(key: string, ms: number): void {
    retries.remove(key)
    schedule(retries, key, ms)
  }

  return {
    get depth() {
      return ready.length - head
    },
    add,
    addAfter: (key, ms) => schedule(wishes, key, ms),
    retryAfter,
    retry(key, minMs = 0) {
      const count = failures.get(key) ?? 0
      failures.set(key, Math.min(count + 1, MAX_DOUBLINGS))
      const delay = Math.max(Math.min(baseMs * 2 ** count, maxMs), minMs)
      metrics?.count('workqueue_retries_total', labels)
      retryAfter(key, delay)
      return delay
    },
    forget(key) {
      failures.delete(key)
    },
    take() {
      const key = closed ? undefined : shift()
      if (key === undefined) return undefined
      const now = clock.now()
      metrics?.observe('workqueue_queue_duration_seconds', labels, (now - (dirty.get(key) ?? now)) / 1_000)
      dirty.delete(key)
      processing.set(key, now)
      if (retries.remove(key)) arm()
      reportDepth()
      return key
    },
    done(key) {
      const since = processing.get(key)
      if (since === undefined) return
      processing.delete(key)
      metrics?.observe('workqueue_work_duration_seconds', labels, (clock.now() - since) / 1_000)
      if (dirty.has(key)) push(key)
    },
    close() {
      closed = true
      wishes.clear()
      retries.clear()
      arm()
    },
  }
}
