// Reads one commit for one GitRepo: checkout, publish unless nothing has changed for it, and what became of it.
import type { GitRepo } from '../api/git-repo.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf, reasonOf, TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import { GitError } from '../lib/git/errors.ts'
import { isConflict } from '../lib/kube/errors.ts'
import type { Checkout, Checkouts } from './checkouts.ts'
import type { Attempt, AttemptFailure } from './decide.ts'
import type { GitAccess } from './git-access.ts'
import { nextPollMs } from './poll-schedule.ts'
import type { Publisher, PublishResult } from './publisher.ts'
import type { ReadRecords } from './read-records.ts'
import { isUntouched, recordTrace } from './read-trace.ts'

export interface ReadingDeps {
  readonly checkouts: Pick<Checkouts, 'acquire'>
  readonly publisher: Pick<Publisher, 'publish' | 'advance'>
  readonly records: ReadRecords
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
}

/** First pause after an error that may pass. */
const RETRY_MS = 5_000

/** What there is to read, and why. */
export interface ReadingOrder {
  readonly inputs: Attempt
  /** Nothing but the commit has changed, so that it matters what it has changed. */
  readonly isOnlyCommit: boolean
}

interface ReadingOutcome {
  readonly attempt: Attempt
  /** The commit changes nothing for the GitRepo: nothing was read. */
  readonly isUnchanged: boolean
}

/**
 * Reads the commit that the order names. Returns the attempt with its outcome; throws only when the signal was aborted (but for a GitError: a time limit)
 * or somebody else changed what was being written, which says nothing to the user.
 */
export async function readCommit(
  deps: ReadingDeps,
  gitRepo: GitRepo,
  access: GitAccess,
  order: ReadingOrder,
  earlier: Attempt | undefined,
  signal: AbortSignal,
): Promise<ReadingOutcome> {
  const { checkouts, clock, log } = deps
  const { inputs } = order
  const { commit } = inputs
  const start = clock.now()
  const about = { gitRepo: keyOf(gitRepo), commit }
  try {
    const checkout = await checkouts.acquire({ remoteId: access.remoteId, remote: access.remote, commit }, signal)
    try {
      const moved = await advance(deps, gitRepo, order, checkout, signal)
      const { bundles } = moved ?? (await publish(deps, gitRepo, inputs, checkout, signal))
      const what = moved ? 'commit changes nothing that the bundles depend on, not read' : 'commit read'
      log.info({ ...about, bundles, durationMs: clock.now() - start }, what)
      return { attempt: inputs, isUnchanged: moved !== undefined }
    } finally {
      checkout.release()
    }
  } catch (error) {
    if (signal.aborted && !(signal.reason instanceof GitError)) throw signal.reason
    if (isConflict(error)) throw error
    const count = earlier?.failure && earlier.commit === commit ? earlier.failure.count + 1 : 1
    const failure = failureOf(error, count, deps)
    if (failure.kind === 'waiting') log.debug({ ...about, because: failure.message }, 'commit cannot be read yet')
    else log.warn({ ...about, err: error, retryAt: failure.retryAt }, 'commit could not be read')
    return { attempt: { ...inputs, failure }, isUnchanged: false }
  }
}

/** Undefined when the commit has to be read. */
async function advance(
  { records, publisher }: ReadingDeps,
  gitRepo: GitRepo,
  { inputs, isOnlyCommit }: ReadingOrder,
  { files }: Checkout,
  signal: AbortSignal,
): Promise<PublishResult | undefined> {
  const record = isOnlyCommit ? records.find(keyOf(gitRepo)) : undefined
  if (!record || !files || record.inputs !== inputsText(gitRepo, inputs) || !isUntouched(record.trace, files)) return undefined
  try {
    return await publisher.advance?.(gitRepo, { commit: inputs.commit, left: record.left }, signal)
  } catch (error) {
    records.forget(keyOf(gitRepo))
    throw error
  }
}

/** Half of it may have been written when it fails: then nothing is known any more. */
async function publish(
  { records, publisher, log }: ReadingDeps,
  gitRepo: GitRepo,
  inputs: Attempt,
  { root, files }: Checkout,
  signal: AbortSignal,
): Promise<PublishResult> {
  const key = keyOf(gitRepo)
  records.forget(key)
  const recorder = files && publisher.advance ? recordTrace(files) : undefined
  const result = await publisher.publish(gitRepo, { commit: inputs.commit, root, trace: recorder }, signal)
  const trace = recorder?.finish()
  if (trace && result.left !== undefined) records.keep(key, { inputs: inputsText(gitRepo, inputs), trace, left: result.left })
  else if (recorder)
    log.debug({ gitRepo: key, because: recorder.spoiled ?? 'what was written is not settled' }, 'next commit is read in any case')
  return result
}

/** Labels are those of the bundles too, and change without a new generation. */
function inputsText({ metadata: { uid, labels } }: GitRepo, { commit: _commit, failure: _failure, ...inputs }: Attempt): string {
  return JSON.stringify([uid, inputs, Object.entries(labels ?? {}).sort()])
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
