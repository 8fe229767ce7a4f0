// What a run leaves on the machine while it goes on: one folder and one control group. All else are namespaces, which end with their processes.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cgroupsNamed, makeCgroup, removeCgroup } from './cgroups.ts'

/** Start of the names of folders and groups; the number of the process that made them and six letters follow. */
const PREFIX = 'fleet-e2e-'
const NAME = new RegExp(`^${PREFIX}(\\d+)-\\w+$`)
/** Part of the command line of every process that owns a workspace. */
const SCRIPT = 'e2e.ts'
const REMOVE_ATTEMPTS = 50
const REMOVE_EVERY_MS = 100

export interface Workspace {
  readonly dir: string
  /** name of the control group, and of the folder */
  readonly name: string
  remove(): Promise<void>
}

/** A name that no other run uses, for something that this process removes itself or the next run does. */
export function nameFor(purpose: string): string {
  return `${PREFIX}${process.pid}-${purpose}`
}

/** The process that made something of this name; undefined when it is not of our kind. */
export function ownerOf(name: string): number | undefined {
  const pid = NAME.exec(name)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

/** Removes what runs that were killed have left, and makes a new workspace. */
export async function createWorkspace(): Promise<Workspace> {
  const parent = realpathSync(tmpdir())
  await removeAbandoned(parent)
  const dir = mkdtempSync(join(parent, nameFor('')))
  const name = basename(dir)
  makeCgroup(name)
  mkdirSync(join(dir, 'images'))
  return { dir, name, remove: () => remove(dir, name) }
}

async function removeAbandoned(parent: string): Promise<void> {
  const folders = readdirSync(parent).filter((name) => name.startsWith(PREFIX) && isOurs(join(parent, name)))
  for (const name of new Set([...folders, ...cgroupsNamed(PREFIX)])) {
    const owner = ownerOf(name)
    if (owner !== undefined && !isRunning(owner)) await remove(join(parent, name), name)
  }
}

function isOurs(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === process.getuid?.()
}

// A number may have gone to another program since.
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(SCRIPT)
  } catch {
    // it has ended
    return false
  }
}

// The processes have been killed, and may need a moment to end. What stays all the same is removed by the next run.
async function remove(dir: string, name: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS && !removeCgroup(name); attempt++) await pause(REMOVE_EVERY_MS)
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}
