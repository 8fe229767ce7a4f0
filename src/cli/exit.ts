// What a failure means for whoever started the command: the exit code, and the words on standard error.
import { ConfigError } from '../config/environment.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { ApiError, ConnectionError } from '../lib/kube/errors.ts'

/** The exit codes that `fleet --help` documents. */
export const EXIT = { done: 0, failed: 1, misused: 2, tryAgain: 3, blocked: 4, waiting: 5, interrupted: 130 } as const

export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    failed: the input is invalid, or the cluster refused it
  2    wrong usage: an unknown command or flag, or a missing argument
  3    could not be done now: a cluster or repository is unreachable or busy, try again
  4    fleet explain: something is blocked until somebody acts
  5    fleet explain: something is on its way, or cannot be told at the moment
  130  interrupted`

/** The command was called in a way that cannot be meant. The message says what to write. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Everything was said already, on standard output: only the exit code is left. */
export class QuietFailure extends Error {
  override readonly name = 'QuietFailure'
}

/** What was asked about is not as it should be; everything was said already. */
export class NotInPlace extends QuietFailure {
  readonly exitCode: number

  constructor(exitCode: number) {
    super()
    this.exitCode = exitCode
  }
}

/** The exit code of a failure; of several failures the one that the user has to mend counts. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof AggregateError && error.errors.length > 0) return Math.min(...error.errors.map(exitCodeOf))
  if (error instanceof NotInPlace) return error.exitCode
  if (error instanceof UsageError || error instanceof ConfigError) return EXIT.misused
  if (error instanceof WaitingError || error instanceof ConnectionError) return EXIT.tryAgain
  if (error instanceof ApiError && (error.status === 429 || error.status >= 500)) return EXIT.tryAgain
  return EXIT.failed
}
