// Checked out commits, shared by the GitRepos that read them at the same time, in a temporary folder that outlives no process.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../lib/controller/clock.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import type { Logger } from '../lib/controller/log.ts'
import { type CommitFiles, openCommitFiles } from '../lib/git/commit-files.ts'
import type { GitBackend, GitLimits, GitRemote } from '../lib/git/types.ts'
import { redactUrl } from '../lib/git/url.ts'
import type { WrittenFiles } from '../lib/git/written-files.ts'

export interface CheckoutRequest {
  /** Equal for those who see the same repository with the same rights: others must not get at its files. */
  readonly remoteId: string
  readonly remote: GitRemote
  readonly commit: string
}

/** A folder that stays until it is released. */
export interface Checkout {
  readonly root: string
  /** What is in it, without a look at the disk; undefined when the backend does not tell. */
  readonly files: CommitFiles | undefined
  release(): void
}

export interface Checkouts {
  /** Removes what processes left behind that are no more, and makes the folder of this one. */
  open(): Promise<void>
  /**
   * The files of a commit; fetched once for all who ask meanwhile. Rejects with the error of the fetch, the reason of the signal, or a WaitingError when the
   * fetch takes long: it goes on, and whoever comes back finds it.
   */
  acquire(request: CheckoutRequest, signal: AbortSignal): Promise<Checkout>
  /** Ends fetches and removes everything. */
  close(): Promise<void>
}

export interface CheckoutsOptions {
  readonly backend: Pick<GitBackend, 'fetch'>
  /** Parent folder; may be shared with other processes. */
  readonly dir: string
  readonly limits: GitLimits
  readonly clock: Clock
  readonly log: Logger
  readonly pid: number
  /** How long a checkout that nobody uses is kept for whoever comes next; default 10 s. */
  readonly lingerMs?: number | undefined
}

interface Entry {
  readonly root: string
  readonly abort: AbortController
  readonly fetched: Promise<void>
  readonly told: { files?: CommitFiles }
  readonly startedAt: number
  users: number
  timer: unknown
}

const DEFAULT_LINGER_MS = 10_000
/** So long a worker waits for a fetch, then other GitRepos need it: a slow server holds up only those who want something of it. */
const PATIENCE_MS = 15_000
/** Those who come back only look: shorter than what is announced. */
const LOOK_MS = 500
const COME_BACK_MS = 5_000
/** A fetch that nobody comes back for is given up. */
const ABANDONED_MS = 60_000
const OWN_FOLDER = /^(\d+)-[0-9a-f]{12}$/

export function createCheckouts(options: CheckoutsOptions): Checkouts {
  const { backend, limits, clock, log, pid, lingerMs = DEFAULT_LINGER_MS } = options
  const own = join(options.dir, `${pid}-${randomBytes(6).toString('hex')}`)
  const entries = new Map<string, Entry>()
  const removals = new Set<Promise<void>>()
  let serial = 0

  function start(key: string, { remote, commit }: CheckoutRequest): Entry {
    const root = join(own, `${serial++}-${commit.slice(0, 12)}`)
    const abort = new AbortController()
    const told: Entry['told'] = {}
    const onWritten = (written: WrittenFiles): void => {
      told.files = openCommitFiles(written)
    }
    const fetched = backend.fetch(remote, commit, root, { limits, onWritten }, abort.signal)
    const entry: Entry = { root, abort, fetched, told, startedAt: clock.now(), users: 0, timer: undefined }
    entries.set(key, entry)
    // whoever waits for it is told, or else the first one who comes back; whoever comes next tries anew
    fetched.catch(() => entry.users > 0 && forget(key, entry))
    return entry
  }

  async function acquire(request: CheckoutRequest, signal: AbortSignal): Promise<Checkout> {
    signal.throwIfAborted()
    const key = `${request.remoteId} ${request.commit}`
    const entry = entries.get(key) ?? start(key, request)
    clock.clearTimeout(entry.timer)
    entry.users++
    try {
      await untilAborted(patiently(entry, request), signal)
    } catch (error) {
      leave(key, entry, error instanceof WaitingError ? ABANDONED_MS : 0)
      throw error
    }
    let isReleased = false
    return {
      root: entry.root,
      files: entry.told.files,
      release() {
        if (isReleased) return
        isReleased = true
        leave(key, entry, lingerMs)
      },
    }
  }

  function forget(key: string, entry: Entry): void {
    if (entries.get(key) === entry) entries.delete(key)
  }

  async function patiently({ fetched, startedAt }: Entry, { remote, commit }: CheckoutRequest): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const message = `commit ${commit} of ${redactUrl(remote.url)} is being fetched: its server is slow, or there is much to fetch`
    const patienceMs = Math.max(startedAt + PATIENCE_MS - clock.now(), LOOK_MS)
    const timer = clock.setTimeout(() => reject(new WaitingError(message, { retryAfterMs: COME_BACK_MS })), patienceMs)
    try {
      await Promise.race([fetched, late])
    } finally {
      clock.clearTimeout(timer)
    }
  }

  /** The last one to leave closes the door, after a while: nobody is sure that nobody comes. */
  function leave(key: string, entry: Entry, afterMs: number): void {
    entry.users--
    if (entry.users > 0) return
    const dispose = (): void => {
      forget(key, entry)
      entry.abort.abort(new Error('nobody waits for this commit any more'))
      remove(entry)
    }
    if (afterMs === 0) dispose()
    else entry.timer = clock.setTimeout(dispose, afterMs)
  }

  function remove(entry: Entry): void {
    const removal = entry.fetched
      .catch(() => {}) // a fetch that failed has cleaned up already
      .then(() => rm(entry.root, { recursive: true, force: true, maxRetries: 3 }))
      .catch((err: unknown) => log.warn({ err, root: entry.root }, 'checkout could not be removed'))
      .finally(() => removals.delete(removal))
    removals.add(removal)
  }

  return {
    acquire,
    async open() {
      await mkdir(options.dir, { recursive: true })
      await removeLeftovers(options.dir, pid)
      await mkdir(own, { mode: 0o700 })
    },
    async close() {
      for (const entry of entries.values()) {
        clock.clearTimeout(entry.timer)
        entry.abort.abort(new Error('the controller stops'))
        remove(entry)
      }
      entries.clear()
      await Promise.all(removals)
      await rm(own, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

async function removeLeftovers(dir: string, pid: number): Promise<void> {
  const owners = (await readdir(dir)).map((name) => ({ name, owner: Number(OWN_FOLDER.exec(name)?.[1]) }))
  // In a container every process has the same id, so a folder with ours is that of our predecessor.
  const left = owners.filter(({ owner }) => owner > 0 && (owner === pid || !isAlive(owner)))
  await Promise.all(left.map(({ name }) => rm(join(dir, name), { recursive: true, force: true, maxRetries: 3 })))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
