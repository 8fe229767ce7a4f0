import type { Clock } from '../controller/clock.ts'

/** Aborts a signal when nothing was heard for a while. */
export interface QuietTimer {
  /** Aborted by silence, or with the outer signal. */
  readonly signal: AbortSignal
  /** Silence was what aborted it. */
  readonly fired: boolean
  /** Something was heard. */
  reset(): void
  end(): void
}

/** Starts at once. `reset` costs next to nothing: the timer is moved only when it fires. */
export function createQuietTimer(clock: Clock, quietMs: number, outer: AbortSignal): QuietTimer {
  const controller = new AbortController()
  let heardAt = clock.now()
  let fired = false
  let timer = clock.setTimeout(check, quietMs)

  function check(): void {
    const left = heardAt + quietMs - clock.now()
    if (left > 0) {
      timer = clock.setTimeout(check, left)
      return
    }
    fired = true
    controller.abort(new Error(`nothing was heard for ${quietMs / 1_000} s`))
  }

  const onAbort = (): void => controller.abort(outer.reason)
  if (outer.aborted) onAbort()
  outer.addEventListener('abort', onAbort, { once: true })

  return {
    signal: controller.signal,
    get fired() {
      return fired
    },
    reset() {
      heardAt = clock.now()
    },
    end() {
      clock.clearTimeout(timer)
      outer.removeEventListener('abort', onAbort)
    },
  }
}
