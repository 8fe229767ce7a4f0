// fleet: the command line.
import { tmpdir } from 'node:os'
import { runCli } from '../cli/program.ts'
import { systemClock } from '../lib/controller/clock.ts'

const interrupted = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort(new Error(`${signal} received`))
  })
}
// whoever reads our output may stop early, as head does
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  tempDir: tmpdir(),
  pid: process.pid,
  clock: systemClock,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
})
// sockets and timers of libraries must not keep a finished command alive
setTimeout(() => process.exit(), 1_000).unref()
