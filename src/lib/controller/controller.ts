import { isConflict } from '../kube/errors.ts'
import type { Informer, InformerEvent } from '../kube/informer.ts'
import type { KubeObject } from '../kube/types.ts'
import { type Clock, systemClock } from './clock.ts'
import { decisionOf, messageOf } from './errors.ts'
import { keyOf } from './keys.ts'
import type { Logger } from './log.ts'
import type { ControllerMetrics, ReconcileOutcome } from './metrics.ts'
import { untilAborted } from './parts.ts'
import { type BackoffOptions, createWorkQueue } from './queue.ts'
import { withTimeLimit } from './time-limit.ts'

/** What a reconcile wants next: nothing, or to see the key again after a time. */
export interface ReconcileResult {
  requeueAfterMs?: number | undefined
}

export interface ControllerOptions {
  /** Lower case with dashes; goes into logs and metrics. */
  name: string
  /** How many keys are worked on at a time. */
  workers: number
  /**
   * Brings the object under `key` to its desired state. Throw `TerminalError`, `WaitingError` or anything else (tried again with growing delay).
   * The signal is aborted at the time limit, and when the process cannot wait any longer for its end.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async function without a return statement is a valid reconcile
  reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined | void>
  clock?: Clock | undefined
  log: Logger
  metrics?: ControllerMetrics | undefined
  backoff?: BackoffOptions | undefined
  /** Time limit of one reconcile; default 10 minutes. */
  timeoutMs?: number | undefined
  /** How long `run` waits after its signal for reconciles under way before it aborts them; default 4 s. */
  graceMs?: number | undefined
}

interface WatchOptions {
  /** Folds the events on a key within this time into one reconcile. */
  debounceMs?: number | undefined
}

export interface Controller {
  readonly name: string
  enqueue(key: string): void
  enqueueAfter(key: string, ms: number): void
  /** Enqueues the keys that `toKeys` names for each event (default: the object's own key). Throwing is logged, the event is lost for this controller. */
  watch<T extends KubeObject>(informer: Informer<T>, toKeys?: (event: InformerEvent<T>) => readonly string[], options?: WatchOptions): void
  /** Works until the signal is aborted, then finishes what is under way. Keys enqueued before are kept. A controller runs once. */
  run(signal: AbortSignal): Promise<void>
}

/** A conflict means that a cache lags: the event that brings it up to date usually comes first, so asking at once would only be refused again. */
const CONFLICT_MS = 100

const ERRORS = ['controller_runtime_reconcile_errors_total', 'controller_runtime_terminal_reconcile_errors_total'] as const

/** After its signal was aborted a reconcile gets this long before its worker takes another key; its own key stays locked until it ends. */
const UNRESPONSIVE_MS = 10_000

/**
 * A controller: a work queue and `workers` loops that call `reconcile` with its keys, never two at a time on one key.
 *
 *     const controller = createController({ name: 'cluster', workers: 5, reconcile, log })
 *     controller.watch(clusters)
 *     await controller.run(signal)
 */
export function createController(options: ControllerOptions): Controller {
  const { name, workers, metrics } = options
  const clock = options.clock ?? systemClock
  const log = options.log.child({ controller: name })
  const timeoutMs = options.timeoutMs ?? 600_000
  const graceMs = options.graceMs ?? 4_000
  const queue = createWorkQueue({ name, clock, onReady: schedulePump, backoff: options.backoff, metrics })
  const terminal = new Map<string, string>() // last terminal message by key, so that each is logged once
  const unsubscribes: (() => void)[] = []
  const giveUp = new AbortController()
  let state: 'waiting' | 'running' | 'stopped' = 'waiting'
  let pumping = false
  let active = 0
  let onIdle: (() => void) | undefined

  // Work starts from the event loop, never from within the handler that enqueued: bursts fold, and leases get their turn between reconciles.
  function schedulePump(): void {
    if (pumping || state !== 'running' || active >= workers) return
    pumping = true
    setImmediate(pump)
  }

  function pump(): void {
    pumping = false
    while (state === 'running' && active < workers) {
      const key = queue.take()
      if (key === undefined) return
      setActive(active + 1)
      void work(key)
    }
  }

  function setActive(count: number): void {
    active = count
    metrics?.set('controller_runtime_active_workers', { controller: name }, active)
    if (active === 0) onIdle?.()
  }

  async function work(key: string): Promise<void> {
    const limited = withTimeLimit(clock, { timeoutMs, unresponsiveMs: UNRESPONSIVE_MS, signal: giveUp.signal }, (signal) =>
      attempt(key, signal),
    )
    void limited.settled.then(() => queue.done(key))
    if ((await limited.released) === 'unresponsive') log.error({ key, timeoutMs }, 'reconcile ignores its time limit, its worker moves on')
    setActive(active - 1)
    schedulePump()
  }

  /** Never throws. */
  async function attempt(key: string, signal: AbortSignal): Promise<void> {
    const start = clock.now()
    let outcome: ReconcileOutcome
    try {
      outcome = succeed(key, (await options.reconcile(key, signal)) ?? undefined)
    } catch (error) {
      outcome = fail(key, error)
    }
    metrics?.count('controller_runtime_reconcile_total', { controller: name, result: outcome })
    metrics?.observe('controller_runtime_reconcile_time_seconds', { controller: name }, (clock.now() - start) / 1_000)
  }

  function succeed(key: string, result: ReconcileResult | undefined): ReconcileOutcome {
    queue.forget(key)
    terminal.delete(key)
    if (result?.requeueAfterMs === undefined) return 'success'
    queue.retryAfter(key, Math.max(result.requeueAfterMs, 1))
    return 'requeue_after'
  }

  function fail(key: string, error: unknown): ReconcileOutcome {
    if (giveUp.signal.aborted) return 'error'
    const decision = decisionOf(error)
    if (decision.kind !== 'terminal') terminal.delete(key)
    if (decision.kind === 'waiting') {
      queue.forget(key)
      queue.retryAfter(key, Math.max(decision.retryAfterMs, 1))
      log.debug({ key, reason: messageOf(error), retryAfterMs: decision.retryAfterMs }, 'reconcile waits')
      return 'requeue_after'
    }
    metrics?.count('controller_runtime_reconcile_errors_total', { controller: name })
    if (decision.kind === 'terminal') return failForGood(key, error)
    const conflict = isConflict(error)
    const retryAfterMs = queue.retry(key, conflict ? CONFLICT_MS : decision.minMs)
    if (conflict) log.debug({ key, retryAfterMs }, 'object changed meanwhile, reconcile again')
    else log.error({ key, err: error, retryAfterMs }, 'reconcile failed')
    return 'error'
  }

  function failForGood(key: string, error: unknown): ReconcileOutcome {
    metrics?.count('controller_runtime_terminal_reconcile_errors_total', { controller: name })
    queue.forget(key)
    if (terminal.get(key) !== messageOf(error)) log.warn({ key, err: error }, 'reconcile failed, waits for a change of the object')
    terminal.set(key, messageOf(error))
    return 'error'
  }

  function watch<T extends KubeObject>(
    informer: Informer<T>,
    toKeys: (event: InformerEvent<T>) => readonly string[] = ownKey,
    watchOptions: WatchOptions = {},
  ): void {
    const debounceMs = watchOptions.debounceMs ?? 0
    const unsubscribe = informer.subscribe((event) => {
      try {
        for (const key of toKeys(event)) queue.addAfter(key, debounceMs)
      } catch (error) {
        log.error({ key: keyOf(event.object), err: error }, 'event could not be mapped to keys')
      }
    })
    unsubscribes.push(unsubscribe)
  }

  async function run(signal: AbortSignal): Promise<void> {
    if (state !== 'waiting') throw new Error(`controller ${name} runs only once`)
    state = 'running'
    metrics?.set('controller_runtime_max_concurrent_reconciles', { controller: name }, workers)
    // a counter that comes into being with the first error shows no increase
    for (const counter of ERRORS) metrics?.count(counter, { controller: name }, 0)
    schedulePump()
    await untilAborted(signal)
    state = 'stopped'
    for (const unsubscribe of unsubscribes) unsubscribe()
    queue.close()
    await drain()
  }

  async function drain(): Promise<void> {
    if (active === 0) return
    log.info({ active, graceMs }, 'finishing reconciles under way')
    const timer = clock.setTimeout(() => giveUp.abort(new Error(`controller ${name} stops`)), graceMs)
    await new Promise<void>((resolve) => {
      onIdle = resolve
    })
    clock.clearTimeout(timer)
  }

  return { name, enqueue: (key) => queue.add(key), enqueueAfter: (key, ms) => queue.addAfter(key, ms), watch, run }
}

function ownKey<T extends KubeObject>(event: InformerEvent<T>): readonly string[] {
  return [keyOf(event.object)]
}
