// One build at a time: a file that only one process can create, with a heartbeat by which the others see that its holder lives.
// The lock saves work and nothing else: two builds at once would both be right, because a build appears by one rename.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** Tells one holder from the next with the same pid. */
  readonly token: string
}

/** The world around the lock; tests bring their own. */
export interface LockWorld {
  now(): number
  sleep(ms: number): Promise<void>
  isAlive(pid: number): boolean
}

export interface LockOptions {
  readonly file: string
  readonly holder: LockHolder
  readonly world: LockWorld
  /** Called about once a second while another process holds the lock. */
  onWait(holder: LockHolder | undefined, waitedMs: number): void
  readonly limitMs: number
}

const HEARTBEAT_MS = 5000
/** A holder whose heartbeat is older has died, or sleeps so deeply that its work is lost anyway. */
export const ABANDONED_AFTER_MS = 30_000
const POLL_MS = 1000

/** True when nobody works behind the lock any more: its process is gone, or (seen from another machine) its heart has stopped. */
export function isAbandoned(holder: LockHolder | undefined, heartbeat: number, here: LockHolder, world: LockWorld): boolean {
  if (holder !== undefined && holder.host === here.host && !world.isAlive(holder.pid)) return true
  return world.now() - heartbeat > ABANDONED_AFTER_MS
}

/**
 * Waits for the lock and takes it; a dead holder's lock is taken over.
 * @returns a function that gives it back
 * @throws Error after `limitMs`
 */
export async function acquireLock(options: LockOptions): Promise<() => void> {
  const { file, holder, world } = options
  mkdirSync(dirname(file), { recursive: true })
  const started = world.now()
  for (;;) {
    if (create(file, holder)) return keepAlive(file, holder)
    const current = look(file)
    if (current === undefined) continue
    if (isAbandoned(current.holder, current.heartbeat, holder, world)) {
      remove(file, current.holder, holder)
      continue
    }
    const waited = world.now() - started
    if (waited > options.limitMs) throw new Error(`${file} is held by ${describe(current.holder)}: end it, or remove the file`)
    options.onWait(current.holder, waited)
    await world.sleep(POLL_MS)
  }
}

function describe(holder: LockHolder | undefined): string {
  return holder === undefined ? 'somebody' : `process ${holder.pid} on ${holder.host}`
}

function create(file: string, holder: LockHolder): boolean {
  try {
    writeFileSync(file, JSON.stringify(holder), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function look(file: string): { holder: LockHolder | undefined; heartbeat: number } | undefined {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? undefined : { holder: read(file), heartbeat: stat.mtimeMs }
}

function read(file: string): LockHolder | undefined {
  try {
    const { pid, host, token } = JSON.parse(readFileSync(file, 'utf8')) as Partial<LockHolder>
    return pid === undefined || host === undefined || token === undefined ? undefined : { pid, host, token }
  } catch {
    // Gone, or not written to its end: the heartbeat alone decides.
    return undefined
  }
}

// Two waiters may judge the same lock dead, and the slower one must not remove the lock that the faster one has made since:
// what is moved away is looked at once more, and put back when it is not what was judged.
function remove(file: string, judged: LockHolder | undefined, here: LockHolder): void {
  const aside = `${file}.${here.token}`
  try {
    renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    if (read(aside)?.token !== judged?.token) linkSync(aside, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

function keepAlive(file: string, holder: LockHolder): () => void {
  const timer = setInterval(() => {
    try {
      const now = new Date()
      if (read(file)?.token === holder.token) utimesSync(file, now, now)
    } catch {
      // Removed by hand: the build goes on, and the rename at its end decides.
    }
  }, HEARTBEAT_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    if (read(file)?.token === holder.token) rmSync(file, { force: true })
  }
}
