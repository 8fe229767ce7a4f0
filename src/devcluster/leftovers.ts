// Clusters whose owner was killed leave a folder, and on systems without a death signal running programs: the next start removes both.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killGroup } from './host-process.ts'

/** Start of the name of every folder made here; what is below the parent folder with this prefix is ours to remove. */
export const DIR_PREFIX = 'fleet-clusters-'

const OWNER_FILE = 'owner.json'
// A folder without a readable owner file is either being made at this moment or half removed.
const UNOWNED_AGE_MS = 60_000

/** Writes down who owns the folder and which programs belong to it. Called again whenever a program is started. */
export function writeOwner(dir: string, owner: number, pids: readonly number[]): void {
  const file = join(dir, OWNER_FILE)
  // In one step: another start that found the file half written would take an old folder for one that nobody owns.
  writeFileSync(`${file}.new`, JSON.stringify({ owner, pids }))
  renameSync(`${file}.new`, file)
}

/** Kills the programs and removes the folders of owners that are no more, below `parent`. Folders of other users are left alone, and what cannot be removed. */
export function removeLeftovers(parent: string, now: number): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(DIR_PREFIX)) continue
    try {
      removeLeftover(join(parent, name), now)
    } catch {
      // Another start removes it at this moment, or its programs have not quite ended: the next start tries again, this one can do without.
    }
  }
}

/**
 * Makes sure that a folder which a caller named is empty: what an owner that is no more has left there is removed.
 * @throws Error when it holds anything else
 */
export function reclaimFolder(dir: string): void {
  if (!existsSync(dir) || readdirSync(dir).length === 0) return
  const owner = readOwner(dir)
  if (owner === undefined) throw new Error(`${dir} is not empty: name a new folder for the clusters`)
  if (isAlive(owner.owner)) throw new Error(`${dir} is used by process ${owner.owner}: name another folder for the clusters`)
  clear(dir, owner.pids)
}

function removeLeftover(dir: string, now: number): void {
  const stat = statSync(dir, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory() || stat.uid !== process.getuid?.()) return
  const owner = readOwner(dir)
  if (owner === undefined && now - stat.mtimeMs < UNOWNED_AGE_MS) return
  if (owner !== undefined && isAlive(owner.owner)) return
  clear(dir, owner?.pids ?? [])
}

function clear(dir: string, pids: readonly number[]): void {
  for (const pid of pids) {
    // The number may belong to somebody else by now: only a program that was started with a file of this folder is ours.
    if (isAlive(pid) && commandLine(pid).includes(dir)) killGroup(pid, 'SIGKILL')
  }
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

function readOwner(dir: string): { owner: number; pids: readonly number[] } | undefined {
  try {
    const { owner, pids } = JSON.parse(readFileSync(join(dir, OWNER_FILE), 'utf8')) as { owner: unknown; pids: unknown }
    if (typeof owner !== 'number' || !Array.isArray(pids)) return undefined
    return { owner, pids: pids.filter((pid) => Number.isInteger(pid) && pid > 1) }
  } catch {
    // Missing or half written: the age of the folder decides.
    return undefined
  }
}

/** True when a process with this number exists and is more than an entry that nobody has collected yet. */
export function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`
  if (existsSync(stat) && /\) [ZX] /.test(readText(stat))) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function commandLine(pid: number): string {
  const proc = `/proc/${pid}/cmdline`
  if (existsSync(proc)) return readText(proc).replaceAll('\0', ' ')
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 })
  } catch {
    // It ended in between.
    return ''
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // It ended in between.
    return ''
  }
}
