// The part of a HelmOp's status that tells of its chart: a pure function of what is known (spec 8.7, 10.5).
import type { HelmOp, HelmOpStatus } from '../api/helm-op.ts'
import type { Condition } from '../api/status.ts'
import {
  type ConditionUpdate,
  errorCondition,
  formatTime,
  getCondition,
  removeCondition,
  setCondition,
  trueCondition,
} from '../lib/controller/conditions.ts'
import { messageOf } from '../lib/controller/errors.ts'

/** What this stage writes; `conditions` is shared with others, type by type. */
export const OWNED_FIELDS = ['version', 'lastPollingTriggered', 'conditions'] as const

export interface StatusFacts {
  /** Why the HelmOp is not accepted. */
  readonly refusal?: Error | undefined
  readonly isPolicyViolation?: boolean | undefined
  /** What has no effect in a HelmOp that is accepted all the same. */
  readonly remark?: string | undefined
  /** Its repository is asked again and again. */
  readonly isPolling?: boolean | undefined
  /** The last poll, and what was wrong with its answer. */
  readonly poll?: { readonly at: number; readonly error: Error | undefined } | undefined
  /** The version in the bundle; empty for charts that have none. */
  readonly version?: string | undefined
  /** What is waited for. */
  readonly waitingFor?: string | undefined
  /** `lastPollingTriggered` is to be written even if nothing else has changed. */
  readonly isRecordDue?: boolean | undefined
}

/** The status after these facts. What nothing is known of stays as it is. Conditions that did not change keep their identity. */
export function nextStatus({ status = {} }: Pick<HelmOp, 'status'>, facts: StatusFacts, now: number): HelmOpStatus {
  const { poll, isPolling = false, version } = facts
  const next: HelmOpStatus = { ...status }
  if (version !== undefined) next.version = version || undefined
  const updated = updatesOf(facts).reduce<Condition[]>((list, update) => setCondition(list, update, now), status.conditions ?? [])
  next.conditions = isPolling || facts.refusal ? updated : removeCondition(updated, 'Polled')
  if (isPolling && poll && (facts.isRecordDue || hasChanged(status, next))) next.lastPollingTriggered = formatTime(poll.at)
  return next
}

/** Whether one of the owned fields differs. */
export function hasChanged(before: HelmOpStatus, after: HelmOpStatus): boolean {
  if (after.conditions !== before.conditions && (after.conditions?.length ?? 0) + (before.conditions?.length ?? 0) > 0) return true
  return OWNED_FIELDS.some((field) => field !== 'conditions' && (after[field] ?? undefined) !== (before[field] ?? undefined))
}

function updatesOf({ refusal, remark, isPolling, poll, waitingFor }: StatusFacts): ConditionUpdate[] {
  if (waitingFor !== undefined) return [{ ...trueCondition('Reconciling'), message: waitingFor }, clear('Stalled')]
  const accepted = remark ? { ...trueCondition('Accepted'), reason: 'FieldIgnored', message: remark } : trueCondition('Accepted')
  // Before the first answer of a process, what the last one said of the repository still holds.
  if (isPolling && !poll && !refusal) return [accepted]
  const error = refusal ?? (isPolling ? poll?.error : undefined)
  return [
    refusal ? errorCondition('Accepted', refusal) : accepted,
    ...(isPolling && poll ? [errorCondition('Polled', poll.error)] : []),
    clear('Reconciling'),
    error ? { ...trueCondition('Stalled'), reason: 'Stalled', message: messageOf(error) } : clear('Stalled'),
  ]
}

function clear(type: string): ConditionUpdate {
  return { type, status: 'False' }
}

/** The message of a condition that is False. */
export function problemIn(status: HelmOpStatus | undefined, type: string): string | undefined {
  const condition = getCondition(status?.conditions, type)
  return condition?.status === 'False' ? (condition.message ?? '') : undefined
}
