// The outside of the git worker thread: a backend whose work is done there, so that the main thread never blocks.
import { lstat, rm } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { Logger } from '../controller/log.ts'
import { GitError } from './errors.ts'
import { hasPlace, slowAfterMs } from './job-places.ts'
import type { GitBackend, GitRemote } from './types.ts'
import { hostOf, redactUrl } from './url.ts'
import type { GitJob, WorkerAnswer, WorkerRequest, WorkerValue } from './worker-protocol.ts'
import type { GitWriter } from './write/types.ts'

export interface GitWorkerOptions {
  /** Module the thread starts with; it calls `runGitWorker()`. Default: the one beside this file, for the unbundled program. */
  readonly workerEntry?: URL | undefined
  /** Heap of the thread in MiB; packs and files are not counted. Default 512. */
  readonly heapMb?: number | undefined
  /** How long after its own time limit, or after it was aborted, a job may stay unanswered before the thread is replaced; default 15 s. */
  readonly graceMs?: number | undefined
  readonly log?: Logger | undefined
}

/** A backend in a worker thread, which starts with the first job. */
export interface GitWorkerBackend extends GitBackend, GitWriter {
  /** Ends the thread; jobs under way fail. */
  close(): Promise<void>
}

interface Pending {
  readonly id: number
  readonly job: GitJob
  readonly host: string
  readonly signal: AbortSignal
  readonly resolve: (value: WorkerValue) => void
  readonly reject: (error: unknown) => void
  readonly onAbort: () => void
  /** It was under way when a thread died or blocked. */
  isSuspect: boolean
  isOverdue: boolean
  timer: NodeJS.Timeout | undefined
  startedAt: number
}

const DEFAULT_RESOLVE_MS = 30_000

/**
 * One thread at a time. When it dies or does not answer, a new one takes over: each job that was under way is tried once more and alone,
 * so that the one which kills threads fails and the others do not.
 */
export function createGitWorkerBackend(options: GitWorkerOptions = {}): GitWorkerBackend {
  const { workerEntry = new URL('./git-worker-entry.ts', import.meta.url), heapMb = 512, graceMs = 15_000, log } = options
  const underWay = new Map<number, Pending>()
  const waiting: Pending[] = []
  let worker: Worker | undefined
  let nextId = 1
  let closed = false

  function submit(job: GitJob, signal: AbortSignal): Promise<WorkerValue> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const pending: Pending = {
        id: nextId++,
        job,
        host: hostOf(job.remote.url),
        signal,
        resolve,
        reject,
        onAbort: () => abort(pending),
        isSuspect: false,
        isOverdue: false,
        timer: undefined,
        startedAt: 0,
      }
      if (closed) return reject(lost(job))
      signal.addEventListener('abort', pending.onAbort, { once: true })
      waiting.push(pending)
      pump()
    })
  }

  function pump(): void {
    for (let next = takeNext(); next; next = takeNext()) start(next)
    if (underWay.size === 0) worker?.unref()
  }

  /** Suspects run alone and before all others. */
  function takeNext(): Pending | undefined {
    const running = [...underWay.values()]
    if (running.some((one) => one.isSuspect)) return undefined
    const suspect = waiting.findIndex((one) => one.isSuspect)
    if (suspect >= 0) return running.length === 0 ? waiting.splice(suspect, 1)[0] : undefined
    const now = performance.now()
    const holders = running.map(({ job: { kind }, host, startedAt }) => ({ kind, host, ageMs: now - startedAt }))
    const next = waiting.findIndex(({ job: { kind }, host }) => hasPlace({ kind, host }, holders))
    return next < 0 ? undefined : waiting.splice(next, 1)[0]
  }

  function start(pending: Pending): void {
    underWay.set(pending.id, pending)
    worker ??= launch()
    worker.ref()
    send({ id: pending.id, job: pending.job })
    watch(pending, limitOf(pending.job) + graceMs)
    pending.startedAt = performance.now()
    setTimeout(pump, slowAfterMs(pending.job.kind) + 1).unref() // it no longer counts then
  }

  function send(request: WorkerRequest): void {
    worker?.postMessage(request)
  }

  function watch(pending: Pending, ms: number): void {
    clearTimeout(pending.timer)
    pending.timer = setTimeout(() => {
      pending.isOverdue = true
      void worker?.terminate()
    }, ms)
  }

  function launch(): Worker {
    const launched = new Worker(workerEntry, {
      name: 'git',
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    launched.on('message', onAnswer)
    launched.on('error', (err) => log?.warn({ err }, 'git worker failed')) // `exit` follows
    launched.on('exit', () => void onExit())
    return launched
  }

  function onAnswer(answer: WorkerAnswer): void {
    const pending = underWay.get(answer.id)
    if (!pending) return
    underWay.delete(answer.id)
    settle(pending)
    if ('error' in answer)
      pending.reject(new GitError(answer.error.kind, answer.error.message, { retryAfterMs: answer.error.retryAfterMs }))
    else if ('cancelled' in answer) pending.reject(pending.signal.reason)
    else pending.resolve(answer.value)
    pump()
  }

  async function onExit(): Promise<void> {
    worker = undefined
    const orphans = [...underWay.values()]
    underWay.clear()
    for (const pending of orphans) clearTimeout(pending.timer)
    await Promise.all(orphans.map(({ job }) => removeRest(job)))
    for (const pending of orphans) {
      const error = verdict(pending)
      if (error !== undefined) settle(pending).reject(error)
      else waiting.unshift(pending)
    }
    pump()
  }

  /** What a job fails with when its thread has ended; undefined if it is tried again. */
  function verdict(pending: Pending): unknown {
    if (pending.signal.aborted) return pending.signal.reason
    if (closed) return lost(pending.job)
    if (pending.isSuspect) return pending.isOverdue ? overdue(pending.job) : lost(pending.job)
    pending.isSuspect = true
    pending.isOverdue = false
    return undefined
  }

  function abort(pending: Pending): void {
    if (underWay.has(pending.id)) {
      send({ id: pending.id, cancel: true })
      watch(pending, graceMs)
      return
    }
    const index = waiting.indexOf(pending)
    if (index < 0) return // its thread has just ended: it gets its verdict soon
    waiting.splice(index, 1)
    settle(pending).reject(pending.signal.reason)
  }

  return {
    resolve: async (remote, ref, signal) => textOf(await submit({ kind: 'resolve', remote: plain(remote), ref }, signal)) ?? '',
    async fetch(remote, commit, into, fetchOptions, signal) {
      await mustNotExist(into)
      const { paths, limits, onWritten } = fetchOptions
      const isDescribed = onWritten !== undefined
      const written = await submit({ kind: 'fetch', remote: plain(remote), commit, into, options: { paths, limits }, isDescribed }, signal)
      if (typeof written === 'object') onWritten?.(written)
    },
    push: async (remote, { branch, base, files, author, message }, limits, signal) => {
      const change = { branch, base, files, author, message }
      return textOf(await submit({ kind: 'push', remote: plain(remote), change, limits }, signal))
    },
    async close() {
      closed = true
      for (const pending of waiting.splice(0)) settle(pending).reject(lost(pending.job))
      await worker?.terminate()
    },
  }
}

/** Only what belongs to a remote: an object with more to it may hold what cannot cross the border of a thread. */
function plain({ url, credentials, hostKeys, caBundle, insecureSkipTLSVerify, proxy, timeoutMs }: GitRemote): GitRemote {
  return { url, credentials, hostKeys, caBundle, insecureSkipTLSVerify, proxy, timeoutMs }
}

function textOf(value: WorkerValue): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function settle(pending: Pending): Pending {
  clearTimeout(pending.timer)
  pending.signal.removeEventListener('abort', pending.onAbort)
  return pending
}

function limitOf(job: GitJob): number {
  if (job.kind === 'resolve') return job.remote.timeoutMs ?? DEFAULT_RESOLVE_MS
  return job.kind === 'push' ? job.limits.timeMs : job.options.limits.timeMs
}

/** What is removed after an error must not be somebody else's. */
async function mustNotExist(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined) // whatever else is wrong with the path shows when it is created
  if (found) throw new GitError('other', `${path} exists already; name a folder that does not`)
}

/** A thread that dies in the middle leaves half a folder. */
async function removeRest(job: GitJob): Promise<void> {
  if (job.kind === 'fetch') await rm(job.into, { recursive: true, force: true, maxRetries: 3 }).catch(() => {}) // whoever owns the parent folder clears it
}

function overdue(job: GitJob): GitError {
  return new GitError('timeout', `reading ${redactUrl(job.remote.url)} took too long; it is tried again`)
}

function lost(job: GitJob): GitError {
  return new GitError(
    'other',
    `reading ${redactUrl(job.remote.url)} ended unexpectedly, perhaps for lack of memory; if that happens again, make the repository smaller`,
  )
}
