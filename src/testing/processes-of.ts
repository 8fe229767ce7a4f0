// Processes of this machine, by what they work with.
import { readdirSync, readFileSync } from 'node:fs'

/** Numbers of the processes with an argument that begins like this: programs that were started with a file of one folder, say. Linux only. */
export function processesWith(prefix: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && argumentsOf(pid).some((argument) => argument.startsWith(prefix)))
}

/** Empty when the process is gone. */
function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
