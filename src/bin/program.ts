// What the daemons have in common: help, version, refused settings, signals, exit codes.
import { ConfigError } from '../config/environment.ts'
import { VERSION } from '../config/version.ts'

/** Exit codes: 0 after an ordered stop, 1 after a failure, 2 for settings that cannot be used. */
const FAILED = 1
const MISUSED = 2

interface Program<C> {
  readonly name: string
  readonly usage: string
  /** Reads flags and environment; throws ConfigError. */
  configure(args: readonly string[]): C
  /** Runs until the signal is aborted; rejects when something failed for good. */
  run(config: C, signal: AbortSignal): Promise<void>
}

/** Runs a daemon to its end and sets the exit code of the process. SIGTERM and SIGINT end it in order; a second one at once. */
export async function runProgram<C>(program: Program<C>, args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(program.usage)
  if (args.includes('--version')) return void process.stdout.write(`${program.name} ${VERSION}\n`)
  const config = configure(program, args)
  if (config === undefined) return
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(FAILED)
      stop.abort(new Error(`${signal} received`))
    })
  }
  try {
    await program.run(config, stop.signal)
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return
    process.stderr.write(`${program.name}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = FAILED
  }
  // sockets and timers of libraries must not keep a stopped program alive
  setTimeout(() => process.exit(), 1_000).unref()
}

function configure<C>(program: Program<C>, args: readonly string[]): C | undefined {
  try {
    return program.configure(args)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${program.name}: ${error.message}\n`)
    process.exitCode = MISUSED
    return undefined
  }
}
