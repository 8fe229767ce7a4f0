// Whether a GitRepo's repository has to be read now: a pure function of what is known.
import type { GitRepo } from '../api/git-repo.ts'
import type { PollResult } from './poller.ts'

/** The last reading of this process. */
export interface Attempt {
  readonly commit: string
  readonly generation: number
  readonly forceSync: number
  /** Hashes of the secrets that chart downloads use, and of the way to the repository: what may mend a failure. */
  readonly secrets: string
  readonly remoteId: string
  /** Undefined: it succeeded. */
  readonly failure?: AttemptFailure
}

export interface AttemptFailure {
  readonly kind: 'failed' | 'waiting'
  /** For the user. */
  readonly message: string
  readonly reason: string
  /** When it is tried again although nothing changed, in milliseconds; undefined: never. */
  readonly retryAt?: number
  /** Failures in a row. */
  readonly count: number
}

export interface DecisionInput {
  readonly gitRepo: GitRepo
  /** The newest poll that counts for the present spec and credentials. */
  readonly poll: PollResult | undefined
  readonly attempt: Attempt | undefined
  /** A secret for charts differs from what its annotation says. */
  readonly secretsChanged: boolean
  readonly secrets: string
  readonly remoteId: string
}

export type Decision =
  /** There is something to read, but the newest commit is not known yet. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'read'; readonly commit: string; readonly because: Reason }
  /** Nothing to do, or nothing that would help now. */
  | { readonly kind: 'rest' }

export type Reason = 'commit' | 'force-sync' | 'spec' | 'secrets' | 'unfinished' | 'retry'

/**
 * Reads when the commit, the spec, forceSyncGeneration or a chart secret changed, and when the last reading did not succeed. What this process has tried in
 * vain is not tried again with the same inputs, but for errors that may pass. The state of a process that is gone is found in the status (spec 8.1 #9).
 */
export function decide(input: DecisionInput, now: number): Decision {
  const { gitRepo, poll, attempt } = input
  const commit = poll?.commit
  const because = reasonToRead(input, commit)
  if (!because) return { kind: 'rest' }
  if (commit === undefined) return { kind: 'ask' }
  if (!attempt || !isSame(attempt, inputsOf(gitRepo, commit, input))) return { kind: 'read', commit, because }
  if (!attempt.failure) return { kind: 'rest' } // done, the status just does not say so yet
  const { retryAt } = attempt.failure
  return retryAt !== undefined && now >= retryAt ? { kind: 'read', commit, because: 'retry' } : { kind: 'rest' }
}

/** Which of the reasons to read applies; with an unknown commit only those that need none. */
function reasonToRead({ gitRepo, secretsChanged, attempt }: DecisionInput, commit: string | undefined): Reason | undefined {
  const { metadata, spec, status = {} } = gitRepo
  if (commit !== undefined && commit !== status.commit) return 'commit'
  if (!status.commit) return 'commit'
  if ((spec.forceSyncGeneration ?? 0) !== (status.updateGeneration ?? 0)) return 'force-sync'
  if (metadata.generation !== status.observedGeneration) return 'spec'
  if (secretsChanged) return 'secrets'
  if (status.gitJobStatus !== 'Current' || attempt?.failure) return 'unfinished'
  return undefined
}

/** What a reading with this commit would be made from. */
export function inputsOf(gitRepo: GitRepo, commit: string, { secrets, remoteId }: Pick<DecisionInput, 'secrets' | 'remoteId'>): Attempt {
  return { commit, generation: gitRepo.metadata.generation ?? 0, forceSync: gitRepo.spec.forceSyncGeneration ?? 0, secrets, remoteId }
}

function isSame(a: Attempt, b: Attempt): boolean {
  const isRetriedByAccess = a.failure !== undefined && a.remoteId !== b.remoteId
  return (
    a.commit === b.commit && a.generation === b.generation && a.forceSync === b.forceSync && a.secrets === b.secrets && !isRetriedByAccess
  )
}
