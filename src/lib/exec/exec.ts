// The one way to start a child process: an environment of its own, and limits of time and output.

import { ExecError, type ExecFailure } from './exec-error.ts'

export interface ExecOptions {
  /** Working directory. */
  cwd?: string | undefined
  /** The whole environment of the child; nothing is inherited. */
  env: Readonly<Record<string, string>>
  /** Text for its standard input; without it the input is closed. */
  input?: string | undefined
  timeoutMs: number
  /** Cap of standard output and, on its own, of standard error, in bytes; default 16 MiB. */
  maxOutputBytes?: number | undefined
  /** Ends the child when aborted. */
  signal?: AbortSignal | undefined
  /** Told as soon as the child runs, and again when it has ended: whoever keeps a list of children. */
  onChild?: ((pid: number, event: 'started' | 'ended') => void) | undefined
}

export interface ExecResult {
  stdout: string
  stderr: string
  durationMs: number
}

const MAX_OUTPUT_BYTES = 16 * 2 ** 20
/** How long a child may take to end after it was told to. */
const KILL_AFTER_MS = 2_000

/**
 * Runs a program to its end and returns what it wrote. No shell is involved.
 * Throws {@link ExecError} when it cannot be started, fails, takes too long or writes too much.
 *
 *     const { stdout } = await exec('helm', ['version'], { env: {}, timeoutMs: 10_000 })
 */
export async function exec(command: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const { execa } = await import('execa') // costs 90 ms, which idle processes need not pay
  const start = performance.now()
  const child = execa(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    env: { ...options.env },
    extendEnv: false,
    timeout: options.timeoutMs,
    forceKillAfterDelay: KILL_AFTER_MS,
    maxBuffer: options.maxOutputBytes ?? MAX_OUTPUT_BYTES,
    stripFinalNewline: false,
    reject: false,
    encoding: 'utf8',
  })
  const pid = child.pid
  if (pid !== undefined) options.onChild?.(pid, 'started')
  const result = await child
  if (pid !== undefined) options.onChild?.(pid, 'ended')
  const durationMs = performance.now() - start
  if (!result.failed) return { stdout: textOf(result.stdout), stderr: textOf(result.stderr), durationMs }
  throw new ExecError({
    command,
    failure: failureOf(result),
    exitCode: result.exitCode,
    stderr: textOf(result.stderr),
    durationMs,
    cause: result.cause,
  })
}

interface Outcome {
  timedOut?: boolean
  isCanceled?: boolean
  isMaxBuffer?: boolean
  isTerminated?: boolean
  code?: string | undefined
  exitCode?: number | undefined
}

function failureOf(result: Outcome): ExecFailure {
  if (result.timedOut) return 'timeout'
  if (result.isCanceled) return 'aborted'
  if (result.isMaxBuffer) return 'output'
  if (result.isTerminated) return 'signal'
  return result.exitCode === undefined ? 'missing' : 'exit'
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : ''
}
