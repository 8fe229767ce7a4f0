// Reads one commit for one GitRepo: checkout, publish, and what became of it.
import type { GitRepo } from '../api/git-repo.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf, reasonOf, TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import { GitError } from '../lib/git/errors.ts'
import { isConflict } from '../lib/kube/errors.ts'
import type { Checkouts } from './checkouts.ts'
import type { Attempt, AttemptFailure } from './decide.ts'
import type { GitAccess } from './git-access.ts'
import { nextPollMs } from './poll-schedule.ts'
import type { Publisher } from './publisher.ts'

export interface ReadingDeps {
  readonly checkouts: Pick<Checkouts, 'acquire'>
  readonly publisher: Pick<Publisher, 'publish'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
}

/** First pause after an error that may pass. */
const RETRY_MS = 5_000

/**
 * Reads the commit that `inputs` names. Returns the attempt with its outcome; throws only when the signal was aborted (but for a GitError: a time limit)
 * or somebody else changed what was being written, which says nothing to the user.
 */
export async function readCommit(
  deps: ReadingDeps,
  gitRepo: GitRepo,
  access: GitAccess,
  inputs: Attempt,
  earlier: Attempt | undefined,
  signal: AbortSignal,
): Promise<Attempt> {
  const { checkouts, publisher, clock, log } = deps
  const { commit } = inputs
  const start = clock.now()
  const about = { gitRepo: keyOf(gitRepo), commit }
  try {
    const checkout = await checkouts.acquire({ remoteId: access.remoteId, remote: access.remote, commit }, signal)
    try {
      const { bundles } = await publisher.publish(gitRepo, { commit, root: checkout.root }, signal)
      log.info({ ...about, bundles, durationMs: clock.now() - start }, 'commit read')
      return inputs
    } finally {
      checkout.release()
    }
  } catch (error) {
    if (signal.aborted && !(signal.reason instanceof GitError)) throw signal.reason
    if (isConflict(error)) throw error
    const count = earlier?.failure && earlier.commit === commit ? earlier.failure.count + 1 : 1
    const failure = failureOf(error, count, deps)
    log.warn({ ...about, err: error, retryAt: failure.retryAt }, 'commit could not be read')
    return { ...inputs, failure }
  }
}

function failureOf(error: unknown, count: number, { clock, random }: ReadingDeps): AttemptFailure {
  const common = { message: messageOf(error), reason: reasonOf(error), count }
  if (error instanceof TerminalError) return { ...common, kind: 'failed' }
  if (error instanceof WaitingError) return { ...common, kind: 'waiting', retryAt: clock.now() + error.retryAfterMs }
  const delayMs = nextPollMs({ intervalMs: RETRY_MS, failures: count, retryAfterMs: serverDelay(error) }, random())
  return { ...common, kind: 'failed', retryAt: clock.now() + delayMs }
}

function serverDelay(error: unknown): number | undefined {
  const delay = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : undefined
  return typeof delay === 'number' ? delay : undefined
}
