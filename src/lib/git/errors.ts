/** What went wrong with a repository. */
export type GitErrorKind =
  | 'unreachable'
  | 'authentication'
  | 'certificate'
  | 'host-key'
  | 'not-found'
  | 'unknown-ref'
  | 'timeout'
  | 'too-large'
  | 'invalid-url'
  | 'protocol'
  | 'other'

/** An error for the user: the message names the repository (without credentials) and what to do. */
export class GitError extends Error {
  override readonly name = 'GitError'
  readonly kind: GitErrorKind
  /** How long the server asks us to stay away, in milliseconds. */
  readonly retryAfterMs?: number

  constructor(kind: GitErrorKind, message: string, options: { cause?: unknown; retryAfterMs?: number | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = kind
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
  }
}

/** A plain object that crosses the border of a thread. */
export interface GitErrorData {
  readonly kind: GitErrorKind
  readonly message: string
  readonly retryAfterMs?: number | undefined
}

/** What of an error crosses the border of a thread; the cause stays behind, since it may hold headers. */
export function toErrorData(error: GitError): GitErrorData {
  return { kind: error.kind, message: error.message, retryAfterMs: error.retryAfterMs }
}
