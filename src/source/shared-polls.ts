// Asks servers for news: once for all who follow the same question, as often as the most eager of them wants.
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf } from '../lib/controller/errors.ts'
import type { Logger } from '../lib/controller/log.ts'

/** What somebody wants to know. */
export interface FollowRequest {
  /** The same for questions that are asked together. */
  readonly id: string
  /** Infinity: only when asked. */
  readonly intervalMs: number
}

/** What the newest poll brought. */
export interface PollOutcome {
  /** When it began, in milliseconds. */
  readonly at: number
  readonly error?: Error
}

export interface SharedPolls<R extends FollowRequest, O extends PollOutcome> {
  /**
   * From now on `key` follows this request and no other; unless its interval is infinite, the first poll begins at once. Returns what is known: the outcome
   * may be one of a poll that did not ask for this request yet.
   */
  follow(key: string, request: R): O | undefined
  /** Makes sure that a poll begins, or has begun, at `since` or later; a failed one counts, it is repeated at its own pace. */
  refresh(key: string, since: number): void
  forget(key: string): void
  /** Ends all polls. */
  stop(): void
}

export interface SharedPollsOptions<R extends FollowRequest, O extends PollOutcome> {
  /** Asks for all who follow, at least one, the one that came last at the end. Rejects when there is no answer, and may do so when the signal is aborted. */
  readonly ask: (requests: readonly R[], at: number, signal: AbortSignal) => Promise<O>
  /** What a rejection of `ask` is told as. */
  readonly failed: (error: unknown, requests: readonly R[], at: number) => O
  /** Whether an outcome answers a request of its id; default: always. */
  readonly answers?: (outcome: O, request: R) => boolean
  /** Whether a failure says something against the server, which is then asked less and less often; default: always. */
  readonly isServers?: (outcome: O) => boolean
  /** Milliseconds to the next poll, after a failure from its end, else from its start; `failures`: in a row, with this one. Infinity: it is not repeated. */
  readonly nextMs: (outcome: O, intervalMs: number, failures: number) => number
  /** Called for each follower after each poll, with how long it took. */
  readonly onPolled: (key: string, isGood: boolean, durationMs: number) => void
  /** What is asked, for logs. */
  readonly repoOf: (request: R) => string
  readonly clock: Clock
  readonly log: Logger
}

interface Entry<R, O> {
  readonly id: string
  readonly followers: Map<string, R>
  readonly abort: AbortController
  outcome: O | undefined
  failures: number
  isPolling: boolean
  startedAt: number
  /** Another poll is to follow the one under way. */
  isWanted: boolean
  timer: unknown
}

export function createSharedPolls<R extends FollowRequest, O extends PollOutcome>(options: SharedPollsOptions<R, O>): SharedPolls<R, O> {
  const { ask, failed, nextMs, onPolled, repoOf, clock, log } = options
  const entries = new Map<string, Entry<R, O>>()
  const followed = new Map<string, Entry<R, O>>()

  function follow(key: string, request: R): O | undefined {
    const old = followed.get(key)
    const entry = entries.get(request.id) ?? open(request.id)
    if (old && old !== entry) leave(key, old)
    followed.set(key, entry)
    const before = intervalOf(entry)
    entry.followers.delete(key)
    entry.followers.set(key, request)
    if (!isAnswered(entry, request) && Number.isFinite(request.intervalMs)) poll(entry)
    else if (before !== intervalOf(entry)) schedule(entry)
    return entry.outcome
  }

  function open(id: string): Entry<R, O> {
    const entry: Entry<R, O> = {
      id,
      followers: new Map(),
      abort: new AbortController(),
      outcome: undefined,
      failures: 0,
      isPolling: false,
      startedAt: 0,
      isWanted: false,
      timer: undefined,
    }
    entries.set(id, entry)
    return entry
  }

  function leave(key: string, entry: Entry<R, O>): void {
    followed.delete(key)
    entry.followers.delete(key)
    if (entry.followers.size > 0) return
    entries.delete(entry.id)
    clock.clearTimeout(entry.timer)
    entry.abort.abort(new Error('nobody follows this repository any more'))
  }

  function refresh(key: string, since: number): void {
    const entry = followed.get(key)
    if (!entry) return
    if (entry.isPolling) entry.isWanted ||= entry.startedAt < since
    else if (!entry.outcome || entry.outcome.at < since) poll(entry)
  }

  function poll(entry: Entry<R, O>): void {
    if (entry.isPolling) return
    entry.isPolling = true
    entry.startedAt = clock.now()
    clock.clearTimeout(entry.timer)
    void run(entry).then(() => settle(entry))
  }

  /** Never throws. */
  async function run(entry: Entry<R, O>): Promise<void> {
    await Promise.resolve() // those who come at the same time share the question
    const at = entry.startedAt
    const requests = [...entry.followers.values()]
    const [request] = requests
    if (!request) return
    try {
      entry.outcome = await ask(requests, at, entry.abort.signal)
      entry.failures = 0
    } catch (error) {
      if (entry.abort.signal.aborted) return
      entry.outcome = failed(error, requests, at)
      entry.failures = (options.isServers?.(entry.outcome) ?? true) ? entry.failures + 1 : 1
      log.debug({ repo: repoOf(request), err: messageOf(entry.outcome.error), failures: entry.failures }, 'poll failed')
    }
  }

  function settle(entry: Entry<R, O>): void {
    entry.isPolling = false
    if (entry.abort.signal.aborted) return
    const durationMs = clock.now() - entry.startedAt
    const isIncomplete = entry.isWanted || [...entry.followers.values()].some((request) => !isAnswered(entry, request))
    entry.isWanted = false
    if (isIncomplete) poll(entry)
    else schedule(entry)
    for (const key of [...entry.followers.keys()]) onPolled(key, entry.outcome?.error === undefined, durationMs)
  }

  function schedule(entry: Entry<R, O>): void {
    clock.clearTimeout(entry.timer)
    const { outcome, failures, isPolling } = entry
    if (isPolling || !outcome) return
    // a server that lets us wait is left alone for as long as one that refuses at once
    const next = (outcome.error ? clock.now() : outcome.at) + nextMs(outcome, intervalOf(entry), failures)
    if (Number.isFinite(next)) entry.timer = clock.setTimeout(() => poll(entry), Math.max(next - clock.now(), 0))
  }

  function isAnswered({ outcome }: Entry<R, O>, request: R): boolean {
    return outcome !== undefined && (options.answers?.(outcome, request) ?? true)
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
function intervalOf<R extends FollowRequest, O>({ followers }: Entry<R, O>): number {
  return Math.min(...[...followers.values()].map(({ intervalMs }) => intervalMs))
}
