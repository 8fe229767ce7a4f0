// Commands that have to succeed.
import { run } from '../run.ts'

/** Longer than any step of a build on a slow line; a command that hangs ends anyway. */
const LIMIT_MS = 30 * 60_000
const ERROR_LINES = 30

export interface CommandOptions {
  readonly env?: Record<string, string>
  readonly cwd?: string
  readonly timeoutMs?: number
}

/**
 * Runs a command and gives what it wrote, both streams, without white space at the ends.
 * @throws Error with the command and the last lines of its output
 */
export async function must(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, output } = await run(command, args, { timeoutMs: LIMIT_MS, ...options })
  if (code === 0) return output.trim()
  const shown = [command, ...args.map((arg) => (arg.length > 120 ? `${arg.slice(0, 120)}…` : arg))].join(' ')
  throw new Error(`${shown} failed with ${code}:\n${output.trimEnd().split('\n').slice(-ERROR_LINES).join('\n')}`)
}

/** True when a program is on the PATH, or in the folders of an administrator. */
export async function isInstalled(program: string): Promise<boolean> {
  return (await run('/bin/sh', ['-c', 'command -v "$1"', 'sh', program])).code === 0
}
