/** Why a command failed: it ended with an exit code, ran out of time, wrote too much, was not found, was called off, or died of a signal. */
export type ExecFailure = 'exit' | 'timeout' | 'output' | 'missing' | 'aborted' | 'signal'

export interface ExecDetails {
  /** The program without its arguments: they may hold what a log must not show. */
  command: string
  failure: ExecFailure
  exitCode?: number | undefined
  /** What the program said, at most {@link MAX_STDERR} characters from its end. */
  stderr?: string | undefined
  durationMs: number
  cause?: unknown
}

/** Longest text of a program that an error carries, in characters. */
export const MAX_STDERR = 16_384

/** A child process did not succeed. The message is what the program said, or what happened to it. */
export class ExecError extends Error {
  readonly command: string
  readonly failure: ExecFailure
  readonly exitCode: number | undefined
  readonly stderr: string
  readonly durationMs: number

  constructor(details: ExecDetails) {
    const stderr = tail(details.stderr ?? '')
    super(messageFor(details, stderr.trim()), details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'ExecError'
    this.command = details.command
    this.failure = details.failure
    this.exitCode = details.exitCode
    this.stderr = stderr
    this.durationMs = details.durationMs
  }
}

function tail(text: string): string {
  return text.length <= MAX_STDERR ? text : text.slice(-MAX_STDERR).toWellFormed()
}

function messageFor({ command, failure, exitCode, durationMs }: ExecDetails, stderr: string): string {
  switch (failure) {
    case 'exit':
      return stderr || `${command} failed with exit code ${exitCode} and said nothing`
    case 'timeout':
      return `${command} was stopped after ${Math.round(durationMs / 1_000)} s${stderr ? `: ${stderr}` : ''}`
    case 'output':
      return `${command} wrote more than it may`
    case 'missing':
      return `${command} cannot be started: install it or name its path in the configuration`
    case 'aborted':
      return `${command} was called off`
    case 'signal':
      return `${command} was killed${stderr ? `: ${stderr}` : ''}`
  }
}
