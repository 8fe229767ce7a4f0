// Running the parts of a process side by side: the first error stops all, and every stop is bounded.

import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'

/** Something that works until its signal is aborted. */
export interface Part {
  readonly name: string
  run(signal: AbortSignal): Promise<void>
}

export interface PartsOptions {
  clock: Clock
  log: Logger
  /** How long a part may go on after its signal was aborted. */
  graceMs: number
}

/** Runs all parts until `signal` is aborted or one rejects; then all are stopped. Resolves when all ended, rejects with the first error; errors during the stop are only logged. */
export async function runParts(parts: readonly Part[], signal: AbortSignal, options: PartsOptions): Promise<void> {
  const stop = new AbortController()
  const all = AbortSignal.any([signal, stop.signal])
  let failure: { error: unknown } | undefined

  async function runPart(part: Part): Promise<void> {
    try {
      await stopsWithin(part, all, options)
    } catch (error) {
      options.log.error({ part: part.name, err: error }, all.aborted ? 'part failed while stopping' : 'part failed')
      if (all.aborted) return
      failure = { error }
      stop.abort(error)
    }
  }

  await Promise.all(parts.map(runPart))
  if (failure) throw failure.error
  await untilAborted(signal)
}

/** Runs a part; once its signal is aborted its end is waited for no longer than the grace time. */
async function stopsWithin(part: Part, signal: AbortSignal, options: PartsOptions): Promise<void> {
  const { clock, log, graceMs } = options
  let timer: unknown
  let ended = false
  const late = new Promise<void>((resolve) => {
    void untilAborted(signal).then(() => {
      if (ended) return
      timer = clock.setTimeout(() => {
        log.warn({ part: part.name, graceMs }, 'part did not stop in time')
        resolve()
      }, graceMs)
    })
  })
  try {
    await Promise.race([part.run(signal), late])
  } finally {
    ended = true
    clock.clearTimeout(timer)
  }
}

/** Resolves when the signal is aborted, at once if it is. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
