// What a run leaves on the machine while it goes on: one folder and one control group. All else are namespaces, which end with their processes.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAlive } from '../../../src/devcluster/leftovers.ts'
import { cgroupsNamed, makeCgroup, removeCgroup } from './cgroups.ts'

/** Start of the names of folders and groups. */
const PREFIX = 'fleet-e2e-'
const OWNER = 'owner'
const REMOVE_ATTEMPTS = 50
const REMOVE_EVERY_MS = 100
const BEGINNING_MS = 60_000

export interface Workspace {
  readonly dir: string
  /** name of the control group, and of the folder */
  readonly name: string
  remove(): Promise<void>
}

/** Removes what runs that were killed have left, and makes a new workspace. */
export async function createWorkspace(): Promise<Workspace> {
  const parent = realpathSync(tmpdir())
  await removeAbandoned(parent)
  const dir = mkdtempSync(join(parent, PREFIX))
  writeFileSync(join(dir, OWNER), String(process.pid))
  const name = basename(dir)
  makeCgroup(name)
  mkdirSync(join(dir, 'images'))
  return { dir, name, remove: () => remove(dir, name) }
}

async function removeAbandoned(parent: string): Promise<void> {
  const folders = readdirSync(parent).filter((name) => name.startsWith(PREFIX))
  for (const name of new Set([...folders, ...cgroupsNamed(PREFIX)])) {
    if (!isOwned(join(parent, name))) await remove(join(parent, name), name)
  }
}

function isOwned(dir: string): boolean {
  try {
    return isAlive(Number(readFileSync(join(dir, OWNER), 'utf8')))
  } catch {
    // no owner: a run that begins at this moment, or one that was killed while it removed
    const made = statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0
    return Date.now() - made < BEGINNING_MS
  }
}

// The processes have been killed, and may need a moment to end. What stays all the same is removed by the next run.
async function remove(dir: string, name: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS && !removeCgroup(name); attempt++) await pause(REMOVE_EVERY_MS)
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
}
