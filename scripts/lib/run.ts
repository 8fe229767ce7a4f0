// Starts child processes for the scripts of this folder.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the checkout. */
export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface Finished {
  readonly code: number
  readonly output: string
  readonly durationMs: number
}

interface RunOptions {
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** pass the output on instead of collecting it */
  readonly inherit?: boolean
  readonly timeoutMs?: number
}

/** Runs a command to its end; a command that cannot be started, is killed or runs out of time ends with a non-zero code. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const started = Date.now()
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, ...options.env },
      stdio: options.inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    const timer = options.timeoutMs ? setTimeout(() => child.kill('SIGKILL'), options.timeoutMs) : undefined
    const finish = (code: number) => {
      clearTimeout(timer)
      done({ code, output, durationMs: Date.now() - started })
    }
    child.on('error', (error) => {
      output += `${command}: ${error.message}\n`
      finish(127)
    })
    child.on('close', (code) => finish(code ?? 1))
  })
}

/** The path of a tool that a package of node_modules brings. */
export function tool(name: string): string {
  return join(ROOT, 'node_modules', '.bin', name)
}
