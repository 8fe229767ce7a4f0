// Asks chart repositories for versions: once for all HelmOps that follow the same repository with the same credentials.
import type { ChartVersions } from '../lib/charts/chart-versions.ts'
import { ChartError } from '../lib/charts/errors.ts'
import type { ChartAccess } from '../lib/charts/types.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import { redactUrl } from '../lib/git/url.ts'
import { nextPollMs } from '../source/poll-schedule.ts'
import { createSharedPolls, type FollowRequest, type PollOutcome, type SharedPolls } from '../source/shared-polls.ts'

/** What a HelmOp wants to know; `id` is the same for the same repository and access. */
export interface PollRequest extends FollowRequest {
  readonly repo: string
  readonly chart: string
  readonly access: ChartAccess
}

/** What is known of a chart. */
export interface PollResult extends PollOutcome {
  readonly versions?: readonly string[]
}

export interface Poller extends Omit<SharedPolls<PollRequest, PollResult>, 'follow'> {
  /** From now on `key` follows this request and no other; the first poll begins at once unless its interval is infinite. Returns what is known of the chart. */
  follow(key: string, request: PollRequest): PollResult | undefined
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

interface Outcome extends PollOutcome {
  readonly asked: ReadonlySet<string>
  readonly charts?: ReadonlyMap<string, readonly string[]>
}

export function createPoller({ versions, random, ...options }: PollerOptions): Poller {
  const polls = createSharedPolls<PollRequest, Outcome>({
    ...options,
    async ask(requests, at, signal) {
      const asked = chartsOf(requests)
      const { repo, access } = requests[0] as PollRequest
      return { at, asked, charts: await versions.list(repo, [...asked], access, signal) }
    },
    failed: (error, requests, at) => ({ at, asked: chartsOf(requests), error: error instanceof Error ? error : new Error(String(error)) }),
    answers: ({ asked }, { chart }) => asked.has(chart),
    nextMs({ error }, intervalMs, failures) {
      if (!Number.isFinite(intervalMs)) return intervalMs
      const retryAfterMs = error instanceof ChartError ? error.retryAfterMs : undefined
      return nextPollMs({ intervalMs, failures, retryAfterMs }, random())
    },
    repoOf: ({ repo }) => redactUrl(repo),
  })
  return { ...polls, follow: (key, request) => resultOf(polls.follow(key, request), request) }
}

function chartsOf(requests: readonly PollRequest[]): ReadonlySet<string> {
  return new Set(requests.map(({ chart }) => chart))
}

function resultOf(outcome: Outcome | undefined, { repo, chart }: PollRequest): PollResult | undefined {
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
