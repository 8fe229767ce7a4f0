// Asks git servers for commits: once for all GitRepos that follow the same ref with the same credentials.
import type { Clock } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import { toGitError } from '../lib/git/error-table.ts'
import type { GitError } from '../lib/git/errors.ts'
import type { GitBackend, GitRef, GitRemote } from '../lib/git/types.ts'
import { redactUrl } from '../lib/git/url.ts'
import { nextPollMs } from './poll-schedule.ts'
import { createSharedPolls, type FollowRequest, type PollOutcome, type SharedPolls } from './shared-polls.ts'

/** What a GitRepo wants to know; `id` is the same for the same question. */
export interface PollRequest extends FollowRequest {
  readonly remote: GitRemote
  readonly ref: GitRef
}

/** The outcome of the newest poll. */
export interface PollResult extends PollOutcome {
  readonly commit?: string
  readonly error?: GitError
}

export type Poller = SharedPolls<PollRequest, PollResult>

export interface PollerOptions {
  readonly backend: Pick<GitBackend, 'resolve'>
  readonly clock: Clock
  readonly log: Logger
  /** In [0, 1). */
  readonly random: () => number
  /** Called for each follower after each poll, with how long it took. */
  readonly onPolled: (key: string, isGood: boolean, durationMs: number) => void
}

export function createPoller({ backend, random, ...options }: PollerOptions): Poller {
  return createSharedPolls<PollRequest, PollResult>({
    ...options,
    async ask(requests, at, signal) {
      const { remote, ref } = newest(requests)
      return { at, commit: await backend.resolve(remote, ref, signal) }
    },
    failed: (error, requests, at) => ({ at, error: toGitError(error, newest(requests).remote.url) }),
    // a ref that is not there yet is looked for at the usual pace
    isServers: ({ error }) => error?.kind !== 'unknown-ref',
    nextMs: ({ error }, intervalMs, failures) => nextPollMs({ intervalMs, failures, retryAfterMs: error?.retryAfterMs }, random()),
    repoOf: ({ remote }) => redactUrl(remote.url),
  })
}

function newest(requests: readonly PollRequest[]): PollRequest {
  return requests.at(-1) as PollRequest
}
