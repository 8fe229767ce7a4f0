// The part of a GitRepo's status that tells of its repository: a pure function of what is known (spec 8.5, 12).
import type { GitRepo, GitRepoStatus } from '../api/git-repo.ts'
import type { Condition } from '../api/status.ts'
import {
  type ConditionUpdate,
  errorCondition,
  formatTime,
  getCondition,
  setCondition,
  trueCondition,
} from '../lib/controller/conditions.ts'
import type { Attempt } from './decide.ts'
import type { PollResult } from './poller.ts'

/** What this stage writes; `conditions` is shared with others, type by type. */
export const OWNED_FIELDS = [
  'commit',
  'webhookCommit',
  'pollingCommit',
  'lastPollingTriggered',
  'gitJobStatus',
  'observedGeneration',
  'updateGeneration',
  'conditions',
] as const

export interface StatusFacts {
  /** Why the GitRepo is not accepted. */
  readonly refusal?: Error | undefined
  /** The refusal comes from the restrictions of the workspace. */
  readonly isPolicyViolation?: boolean | undefined
  readonly poll?: PollResult | undefined
  readonly attempt?: Attempt | undefined
  /** The commit that is being read. */
  readonly reading?: string | undefined
  /** `lastPollingTriggered` is to be written even if nothing else has changed. */
  readonly isRecordDue?: boolean | undefined
  /** The push that this settles: from now on `webhookCommit` is what was read, unless another push came meanwhile. */
  readonly settledHint?: string | undefined
  /** The server never showed the commit of the push. */
  readonly isHintLost?: boolean | undefined
  /** Bundles that have to go before the GitRepo can. */
  readonly remainingBundles?: number | undefined
}

/** The status after these facts. What nothing is known of stays as it is. Conditions that did not change keep their identity. */
export function nextStatus({ status = {} }: Pick<GitRepo, 'status'>, facts: StatusFacts, now: number): GitRepoStatus {
  const { poll, attempt } = facts
  const next: GitRepoStatus = { ...status, ...jobFields(attempt, facts.reading) }
  if (poll?.commit) next.pollingCommit = poll.commit
  if (attempt && !attempt.failure) next.commit = attempt.commit
  if (isPushSettled(status, facts) && next.commit) next.webhookCommit = next.commit
  next.conditions = conditionUpdates(status, facts).reduce<Condition[]>(
    (list, update) => setCondition(list, update, now),
    status.conditions ?? [],
  )
  if (poll && (facts.isRecordDue || hasChanged(status, next))) next.lastPollingTriggered = formatTime(poll.at)
  return next
}

/** Whether one of the owned fields differs. */
export function hasChanged(before: GitRepoStatus, after: GitRepoStatus): boolean {
  if (after.conditions !== before.conditions && (after.conditions?.length ?? 0) + (before.conditions?.length ?? 0) > 0) return true
  return OWNED_FIELDS.some((field) => field !== 'conditions' && (after[field] ?? undefined) !== (before[field] ?? undefined))
}

/** A push that told of what is read already moves on with it: otherwise it would look like one of a commit that is gone. */
function isPushSettled({ commit, webhookCommit }: GitRepoStatus, { settledHint }: StatusFacts): boolean {
  return webhookCommit !== undefined && (webhookCommit === settledHint || webhookCommit === commit)
}

function jobFields(attempt: Attempt | undefined, reading: string | undefined): GitRepoStatus {
  if (reading !== undefined) return { gitJobStatus: 'InProgress' }
  if (!attempt) return {}
  const { generation, forceSync, failure } = attempt
  const gitJobStatus = failure ? (failure.kind === 'waiting' ? 'InProgress' : 'Failed') : 'Current'
  // A zero is absent on the wire.
  return { gitJobStatus, observedGeneration: generation, updateGeneration: forceSync || undefined }
}

function conditionUpdates(before: GitRepoStatus, facts: StatusFacts): ConditionUpdate[] {
  const { refusal, poll, attempt, reading, remainingBundles } = facts
  if (remainingBundles !== undefined) return [reconciling(`being deleted: waiting for its bundles to go, ${remainingBundles} left`)]
  const isKnown = poll !== undefined || attempt !== undefined || reading !== undefined
  const wasRefused = getCondition(before.conditions, 'Accepted')?.status === 'False'
  // That nothing speaks against it is told along with the first other news.
  if (!isKnown && !refusal && !wasRefused) return []
  const updates = [errorCondition('Accepted', refusal)]
  if (poll) updates.push(errorCondition('GitPolling', poll.error))
  const failure = attempt?.failure
  if (reading !== undefined) return [...updates, reconciling(`reading commit ${reading}`), clear('Stalled')]
  if (failure?.kind === 'waiting') return [...updates, { ...reconciling(failure.message), reason: failure.reason }, clear('Stalled')]
  if (failure) return [...updates, clear('Reconciling'), stalled(failure.message)]
  if (poll?.error) return [...updates, clear('Reconciling'), stalled(poll.error.message)]
  // A reading that failed before this process began is not forgotten until it was tried again.
  if (!attempt && before.gitJobStatus !== 'Current') return updates
  return poll || attempt ? [...updates, clear('Reconciling'), clear('Stalled')] : updates
}

function reconciling(message: string): ConditionUpdate {
  return { ...trueCondition('Reconciling'), message }
}

/** With the reason that tools for kstatus know. */
function stalled(message: string): ConditionUpdate {
  return { ...trueCondition('Stalled'), reason: 'Stalled', message }
}

function clear(type: string): ConditionUpdate {
  return { type, status: 'False' }
}
