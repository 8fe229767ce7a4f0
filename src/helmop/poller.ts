// Asks chart repositories for versions: once for all HelmOps that follow the same repository with the same credentials.

import type { ChartVersions } from '../lib/charts/chart-versions.ts'
import { ChartError } from '../lib/charts/errors.ts'
import type { ChartAccess } from '../lib/charts/types.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf } from '../lib/controller/errors.ts'
import type { Logger } from '../lib/controller/log.ts'
import { redactUrl } from '../lib/git/url.ts'
import { nextPollMs } from '../source/poll-schedule.ts'

/** What a HelmOp wants to know. */
export interface PollRequest {
  /** The same for the same repository and access. */
  readonly id: string
  readonly repo: string
  readonly chart: string
  readonly access: ChartAccess
  /** Infinity: only when asked. */
  readonly intervalMs: number
}

/** What is known of a chart. */
export interface PollResult {
  /** When the repository was asked, in milliseconds. */
  readonly at: number
  readonly versions?: readonly string[]
  readonly error?: Error
}

export interface Poller {
  /** From now on `key` follows this request and no other; the first poll begins at once unless its interval is infinite. Returns what is known. */
  follow(key: string, request: PollRequest): PollResult | undefined
  /** Makes sure that the repository is asked, or has been asked, at `since` or later. */
  refresh(key: string, since: number): void
  forget(key: string): void
  /** Ends all polls. */
  stop(): void
}

export interface PollerOptions {
  readonly versions: Pick<ChartVersions, 'list'>
  readonly clock: Clock
  readonly log: Logger
  /** In [0, 1). */
  readonly random: () => number
  /** Called for each follower after each poll. */
  readonly onPolled: (key: string) => void
}

interface Outcome {
  readonly at: number
  readonly asked: ReadonlySet<string>
  readonly charts?: ReadonlyMap<string, readonly string[]>
  readonly error?: Error
}

interface Entry {
  readonly id: string
  readonly repo: string
  readonly access: ChartAccess
  readonly followers: Map<string, { readonly chart: string; readonly intervalMs: number }>
  readonly abort: AbortController
  outcome: Outcome | undefined
  failures: number
  isPolling: boolean
  startedAt: number
  /** Another poll is to follow the one under way. */
  isWanted: boolean
  timer: unknown
}

export function createPoller({ versions, clock, log, random, onPolled }: PollerOptions): Poller {
  const entries = new Map<string, Entry>()
  const followed = new Map<string, Entry>()

  function follow(key: string, request: PollRequest): PollResult | undefined {
    const old = followed.get(key)
    const entry = entries.get(request.id) ?? open(request)
    if (old && old !== entry) leave(key, old)
    followed.set(key, entry)
    const before = intervalOf(entry)
    const { chart, intervalMs } = request
    entry.followers.set(key, { chart, intervalMs })
    if (!isAsked(entry, chart) && Number.isFinite(intervalMs)) poll(entry)
    else if (before !== intervalOf(entry)) schedule(entry)
    return resultOf(entry, chart)
  }

  function open({ id, repo, access }: PollRequest): Entry {
    const entry: Entry = {
      id,
      repo,
      access,
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

  function leave(key: string, entry: Entry): void {
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

  function poll(entry: Entry): void {
    if (entry.isPolling) return
    entry.isPolling = true
    entry.startedAt = clock.now()
    clock.clearTimeout(entry.timer)
    void run(entry).then(() => settle(entry))
  }

  /** Never throws. */
  async function run(entry: Entry): Promise<void> {
    await Promise.resolve() // those who come at the same time share the request
    const at = entry.startedAt
    const asked = new Set([...entry.followers.values()].map(({ chart }) => chart))
    try {
      entry.outcome = { at, asked, charts: await versions.list(entry.repo, [...asked], entry.access, entry.abort.signal) }
      entry.failures = 0
    } catch (error) {
      if (entry.abort.signal.aborted) return
      entry.failures += 1
      entry.outcome = { at, asked, error: error instanceof Error ? error : new Error(String(error)) }
      log.debug({ repo: redactUrl(entry.repo), err: messageOf(error), failures: entry.failures }, 'poll failed')
    }
  }

  function settle(entry: Entry): void {
    entry.isPolling = false
    if (entry.abort.signal.aborted) return
    const isIncomplete = entry.isWanted || [...entry.followers.values()].some(({ chart }) => !isAsked(entry, chart))
    entry.isWanted = false
    if (isIncomplete) poll(entry)
    else schedule(entry)
    for (const key of [...entry.followers.keys()]) onPolled(key)
  }

  function schedule(entry: Entry): void {
    clock.clearTimeout(entry.timer)
    const intervalMs = intervalOf(entry)
    if (entry.isPolling || !entry.outcome || !Number.isFinite(intervalMs)) return
    const { at, error } = entry.outcome
    const retryAfterMs = error instanceof ChartError ? error.retryAfterMs : undefined
    const next = at + nextPollMs({ intervalMs, failures: entry.failures, retryAfterMs }, random())
    entry.timer = clock.setTimeout(() => poll(entry), Math.max(next - clock.now(), 0))
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

function isAsked({ outcome }: Entry, chart: string): boolean {
  return outcome?.asked.has(chart) ?? false
}

function resultOf({ repo, outcome }: Entry, chart: string): PollResult | undefined {
  if (!outcome?.asked.has(chart)) return undefined
  const { at, charts, error } = outcome
  if (error) return { at, error }
  const versions = charts?.get(chart)
  if (versions) return { at, versions }
  const shown = redactUrl(repo)
  const message = chart
    ? `the repository ${shown} has no chart ${chart}: correct helm.chart or helm.repo`
    : `${shown} has no tags: correct helm.repo`
  return { at, error: new ChartError(message) }
}

/** The most eager follower decides. */
function intervalOf({ followers }: Entry): number {
  return Math.min(...[...followers.values()].map(({ intervalMs }) => intervalMs))
}
