// Errors of a reconcile are decisions: give up until something changes, wait for a named thing, or (anything else) try again.

/** The user has to change something: no retry before the next event of the object. `reason` (CamelCase) becomes the condition's reason. */
export class TerminalError extends Error {
  readonly reason: string

  constructor(message: string, options: { reason?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TerminalError'
    this.reason = options.reason ?? 'Error'
  }
}

/** A named thing is not there yet: ask again after `retryAfterMs` (default 15 s); no error in logs and metrics. */
export class WaitingError extends Error {
  readonly reason: string
  readonly retryAfterMs: number

  constructor(message: string, options: { reason?: string; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'WaitingError'
    this.reason = options.reason ?? 'Waiting'
    this.retryAfterMs = options.retryAfterMs ?? 15_000
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The CamelCase reason an error carries for a condition, `Error` if it has none. */
export function reasonOf(error: unknown): string {
  return error instanceof TerminalError || error instanceof WaitingError ? error.reason : 'Error'
}

/** What a controller does about an error. */
export type ErrorDecision = { kind: 'terminal' } | { kind: 'waiting'; retryAfterMs: number } | { kind: 'retry'; minMs: number }

/** Decides about an error; of several (AggregateError) the one that needs the earliest return holds: retry before waiting before terminal. */
export function decisionOf(error: unknown): ErrorDecision {
  if (error instanceof TerminalError) return { kind: 'terminal' }
  if (error instanceof WaitingError) return { kind: 'waiting', retryAfterMs: error.retryAfterMs }
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(decisionOf).reduce(earlier)
  return { kind: 'retry', minMs: serverDelay(error) }
}

function earlier(a: ErrorDecision, b: ErrorDecision): ErrorDecision {
  if (a.kind === 'retry' && b.kind === 'retry') return a.minMs >= b.minMs ? a : b
  if (a.kind === 'retry' || b.kind === 'retry') return a.kind === 'retry' ? a : b
  if (a.kind === 'waiting' && b.kind === 'waiting') return a.retryAfterMs <= b.retryAfterMs ? a : b
  return a.kind === 'waiting' ? a : b
}

/** A server that is busy says when to come back; nobody waits longer than a minute for it. */
function serverDelay(error: unknown): number {
  const delay = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : undefined
  return typeof delay === 'number' && delay > 0 ? Math.min(delay, 60_000) : 0
}
