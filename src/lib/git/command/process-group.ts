// Children with children: git starts helpers, and all of them end together.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

export interface GroupOptions {
  readonly cwd: string
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** Ends all processes of the group at once. */
  readonly signal: AbortSignal
  /** Address space of each process in KiB. */
  readonly memoryKb: number
}

export interface RunOptions extends GroupOptions {
  readonly input?: string | undefined
  /** Bytes of standard output; default 16 MiB. */
  readonly maxOutputBytes?: number | undefined
}

/** A program ended with something else than success. */
export class CommandFailedError extends Error {
  readonly exitCode: number | null
  /** Its end. */
  readonly stderr: string

  constructor(exitCode: number | null, stderr: string) {
    super('the command failed')
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

const MAX_OUTPUT_BYTES = 16 * 2 ** 20
const MAX_STDERR_BYTES = 16_384
/** The shell sets the limit and is then replaced by the program; where there is no such limit, it goes on without. */
const LIMITED = 'ulimit -v "$1" 2>/dev/null; shift; exec "$@"'

/** Starts a program in a process group of its own. */
export function startGroup(command: string, args: readonly string[], options: GroupOptions): ChildProcessWithoutNullStreams {
  const { cwd, env, signal, memoryKb } = options
  signal.throwIfAborted()
  const child = spawn('/bin/sh', ['-c', LIMITED, 'sh', String(memoryKb), command, ...args], { cwd, env, detached: true, stdio: 'pipe' })
  const end = (): void => endGroup(child.pid)
  signal.addEventListener('abort', end, { once: true })
  child.once('exit', () => signal.removeEventListener('abort', end))
  child.stdin.on('error', () => {}) // it ended before it read everything: told by its exit code
  return child
}

/** Kills all processes of a group: whatever they were about lies in a folder that is removed. */
export function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended already
  }
}

/** Runs a program to its end and returns what it wrote. Throws {@link CommandFailedError}, or the reason of the signal. */
export async function runInGroup(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<{ stdout: Buffer; stderr: string }> {
  const { signal, input = '', maxOutputBytes = MAX_OUTPUT_BYTES } = options
  const child = startGroup(command, args, options)
  const output: Buffer[] = []
  let [size, stderr] = [0, '']
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    if (size > maxOutputBytes) endGroup(child.pid)
    else output.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR_BYTES)
  })
  child.stdin.end(input)
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  signal.throwIfAborted()
  if (size > maxOutputBytes) throw new CommandFailedError(exitCode, 'it says too much')
  if (exitCode !== 0) throw new CommandFailedError(exitCode, stderr)
  return { stdout: Buffer.concat(output), stderr }
}
