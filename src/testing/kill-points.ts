// Moments at which a program can be killed: one before each of its requests that counts. Proxies on all its ways share one of these.
import type { SeenRequest } from './fault-proxy.ts'

export interface KillPoints {
  /** For `startFaultProxy`. */
  readonly gate: (request: SeenRequest) => false | (() => void)
  /** Requests that counted since `arm`, the one that was held included; for messages. */
  readonly steps: readonly string[]
  /**
   * Lets `count` more steps pass. The next one and everything after it is held for ever: whoever sent it is as good as dead, and can be killed.
   * Resolves when that has come and all that was passed on before has been answered.
   */
  arm(count: number): Promise<void>
  /** Everything passes again. What was held stays unanswered. */
  disarm(): void
}

/** `isStep` says which requests count. */
export function createKillPoints(isStep: (request: SeenRequest) => boolean): KillPoints {
  let left = Number.POSITIVE_INFINITY
  let steps: string[] = []
  let held = false
  let underway = 0
  let struck = (): void => {}

  function settle(): void {
    if (held && underway === 0) struck()
  }

  return {
    get steps() {
      return steps
    },
    gate(request) {
      if (held) return false
      if (!isStep(request)) return () => {}
      steps.push(`${request.method} ${request.path.split('?')[0]}`)
      if (left === 0) {
        held = true
        settle()
        return false
      }
      left--
      underway++
      return () => {
        underway--
        settle()
      }
    },
    arm(count) {
      left = count
      held = false
      steps = []
      return new Promise((resolve) => {
        struck = resolve
      })
    },
    disarm() {
      left = Number.POSITIVE_INFINITY
      held = false
    },
  }
}

/** Requests that change something: no questions in the form of a POST, no leases, no events. */
export function isWrite({ method, path }: SeenRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  return !/\/(leases|events|token|tokenreviews|(self)?subjectaccessreviews)(\/|\?|$)/.test(path.split('?')[0] ?? '')
}
