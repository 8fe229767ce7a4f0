// Runs the command inside of a test: streams are texts, the environment is what the test says.
import { PassThrough, Readable } from 'node:stream'
import type { Environment } from '../../config/environment.ts'
import { systemClock } from '../../lib/controller/clock.ts'
import { runCli } from '../program.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Environment
  readonly input?: string
}

/** One call of `fleet`. */
export async function run(args: readonly string[], { cwd, env = {}, input = '' }: RunOptions): Promise<Ran> {
  const [stdout, stderr] = [collect(), collect()]
  const code = await runCli(args, {
    env,
    cwd,
    tempDir: cwd,
    pid: 1,
    clock: systemClock,
    signal: new AbortController().signal,
    stdin: Readable.from([input]),
    stdout: stdout.stream,
    stderr: stderr.stream,
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

function collect(): { stream: PassThrough; text(): string } {
  const chunks: Buffer[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
}
