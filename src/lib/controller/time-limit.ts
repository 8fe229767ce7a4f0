import type { Clock } from './clock.ts'

export interface TimeLimitOptions {
  /** After this many milliseconds the task's signal is aborted. */
  timeoutMs: number
  /** How long after the abort the caller still waits for the task. */
  unresponsiveMs: number
  /** Aborts the task from outside. */
  signal: AbortSignal
}

export interface LimitedTask {
  /** When the caller may go on: the task ended, or it was aborted and did not react. Never rejects. */
  released: Promise<'ended' | 'unresponsive'>
  /** When the task really ended. Never rejects. */
  settled: Promise<void>
}

/** Runs a task that never rejects with a signal that is aborted at the time limit or with the outer signal. */
export function withTimeLimit(clock: Clock, options: TimeLimitOptions, task: (signal: AbortSignal) => Promise<void>): LimitedTask {
  const inner = new AbortController()
  const limit = clock.setTimeout(() => inner.abort(new Error(`took longer than ${options.timeoutMs / 1_000} s`)), options.timeoutMs)
  const abort = (): void => inner.abort(options.signal.reason)
  let patience: unknown
  const unresponsive = new Promise<'unresponsive'>((resolve) => {
    inner.signal.addEventListener('abort', () => {
      patience = clock.setTimeout(() => resolve('unresponsive'), options.unresponsiveMs)
    })
  })
  if (options.signal.aborted) abort()
  options.signal.addEventListener('abort', abort, { once: true })

  const settled = task(inner.signal).finally(() => {
    options.signal.removeEventListener('abort', abort)
    clock.clearTimeout(limit)
    clock.clearTimeout(patience)
  })
  return { settled, released: Promise.race([settled.then(() => 'ended' as const), unresponsive]) }
}
