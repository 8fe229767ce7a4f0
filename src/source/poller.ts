// Asks git servers for commits: once for all GitRepos that follow the same ref with the same credentials.
import type { Clock } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import { toGitError } from '../lib/git/error-table.ts'
import type { GitError } from '../lib/git/errors.ts'
import type { GitBackend, GitRef, GitRemote } from '../lib/git/types.ts'
import { redactUrl } from '../lib/git/url.ts'
import { nextPollMs } from './poll-schedule.ts'

/** What a GitRepo wants to know. */
export interface PollRequest {
  /** The same for the same question. */
  readonly id: string
  readonly remote: GitRemote
  readonly ref: GitRef
  /** Infinity: only when asked. */
  readonly intervalMs: number
}

/** The outcome of the newest poll. */
export interface PollResult {
  /** When it began, in milliseconds. */
  readonly at: number
  readonly commit?: string
  readonly error?: GitError
}

export interface Poller {
  /** From now on `key` follows this request and no other; the first poll begins at once unless its interval is infinite. Returns what is known. */
  follow(key: string, request: PollRequest): PollResult | undefined
  /** Makes sure that a poll begins, or has begun, at `since` or later; a failed one counts, it is repeated at its own pace. */
  refresh(key: string, since: number): void
  forget(key: string): void
  /** Ends all polls. */
  stop(): void
}

export interface PollerOptions {
  readonly backend: Pick<GitBackend, 'resolve'>
  readonly clock: Clock
  readonly log: Logger
  /** In [0, 1). */
  readonly random: () => number
  /** Called for each follower after each poll, with how long it took. */
  readonly onPolled: (key: string, isGood: boolean, durationMs: number) => void
}

interface Entry {
  request: PollRequest
  /** Key → its interval. */
  readonly followers: Map<string, number>
  readonly abort: AbortController
  result: PollResult | undefined
  failures: number
  isPolling: boolean
  startedAt: number
  /** Another poll is to follow the one under way. */
  isWanted: boolean
  timer: unknown
}

export function createPoller({ backend, clock, log, random, onPolled }: PollerOptions): Poller {
  const entries = new Map<string, Entry>()
  const followed = new Map<string, Entry>()

  function follow(key: string, request: PollRequest): PollResult | undefined {
    const old = followed.get(key)
    const entry = entries.get(request.id) ?? open(request)
    if (old && old !== entry) leave(key, old)
    followed.set(key, entry)
    const before = intervalOf(entry)
    entry.request = request
    entry.followers.set(key, request.intervalMs)
    if (!entry.result && Number.isFinite(request.intervalMs)) poll(entry)
    else if (before !== intervalOf(entry)) schedule(entry)
    return entry.result
  }

  function open(request: PollRequest): Entry {
    const entry: Entry = {
      request,
      followers: new Map(),
      abort: new AbortController(),
      result: undefined,
      failures: 0,
      isPolling: false,
      startedAt: 0,
      isWanted: false,
      timer: undefined,
    }
    entries.set(request.id, entry)
    return entry
  }

  function leave(key: string, entry: Entry): void {
    followed.delete(key)
    entry.followers.delete(key)
    if (entry.followers.size > 0) return
    entries.delete(entry.request.id)
    clock.clearTimeout(entry.timer)
    entry.abort.abort(new Error('nobody follows this repository any more'))
  }

  function refresh(key: string, since: number): void {
    const entry = followed.get(key)
    if (!entry) return
    if (entry.isPolling) entry.isWanted ||= entry.startedAt < since
    else if (!entry.result || entry.result.at < since) poll(entry)
  }

  function poll(entry: Entry): void {
    if (entry.isPolling) return
    entry.isPolling = true
    entry.startedAt = clock.now()
    clock.clearTimeout(entry.timer)
    void run(entry).then(() => settle(entry))
  }

  /** Never throws. */
  async function run(entry: Entry): Promise<void> {
    const at = entry.startedAt
    const { remote, ref } = entry.request
    try {
      entry.result = { at, commit: await backend.resolve(remote, ref, entry.abort.signal) }
      entry.failures = 0
    } catch (error) {
      if (entry.abort.signal.aborted) return
      const gitError = toGitError(error, remote.url)
      // A ref that is not there yet says nothing against the server: it is looked for at the usual pace.
      entry.failures = gitError.kind === 'unknown-ref' ? 1 : entry.failures + 1
      entry.result = { at, error: gitError }
      log.debug({ repo: redactUrl(remote.url), kind: gitError.kind, err: gitError.message, failures: entry.failures }, 'poll failed')
    }
  }

  function settle(entry: Entry): void {
    entry.isPolling = false
    if (entry.abort.signal.aborted) return
    const durationMs = clock.now() - entry.startedAt
    if (entry.isWanted) {
      entry.isWanted = false
      poll(entry)
    } else schedule(entry)
    for (const key of [...entry.followers.keys()]) onPolled(key, entry.result?.error === undefined, durationMs)
  }

  function schedule(entry: Entry): void {
    clock.clearTimeout(entry.timer)
    if (entry.isPolling || !entry.result) return
    const { at, error } = entry.result
    const outlook = { intervalMs: intervalOf(entry), failures: entry.failures, retryAfterMs: error?.retryAfterMs }
    // A server that lets us wait is left alone for as long as one that refuses at once.
    const next = (error ? clock.now() : at) + nextPollMs(outlook, random())
    if (Number.isFinite(next)) entry.timer = clock.setTimeout(() => poll(entry), Math.max(next - clock.now(), 0))
  }

  return {
    follow,
    refresh,
    forget(key) {
      const entry = followed.get(key)
      if (entry) leave(key, entry)
    },
    stop() {
      for (const [key, entry] of [...followed]) leave(key, entry)
    },
  }
}

/** The most eager follower decides. */
function intervalOf({ followers }: Entry): number {
  return Math.min(...followers.values())
}
