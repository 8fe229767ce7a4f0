// What a Bundle says about its rollout (spec 1.3, 2.7 steps 8 and 11). Pure.
import type { BundleStatus, PartitionStatus } from '../api/bundle.ts'
import { isUnavailable, targetMessage, targetState } from '../api/state.ts'
import type { BundleSummary } from '../api/status.ts'
import { collectSummary, readyMessage, type SummaryEntry, summaryState } from '../api/summary.ts'
import { type ConditionUpdate, setCondition, trueCondition } from '../lib/controller/conditions.ts'
import { messageOf } from '../lib/controller/errors.ts'
import { isConflict } from '../lib/kube/errors.ts'
import type { RolloutPlan } from '../target/rollout-types.ts'
import type { StepOutcome } from './apply-step.ts'
import type { Contents } from './contents.ts'
import type { DeploymentTarget } from './desired.ts'

/** The fields that the bundle controller writes. */
export const OWNED_STATUS = [
  'conditions',
  'summary',
  'newlyCreated',
  'unavailable',
  'unavailablePartitions',
  'maxUnavailable',
  'maxUnavailablePartitions',
  'partitions',
  'display',
  'observedGeneration',
  'resourcesSha256Sum',
  'ociReference',
] as const satisfies readonly (keyof BundleStatus)[]

/** So many partitions tell of the objects that are not ready. */
const PARTITIONS_WITH_OBJECTS = 10

export interface RoundResult {
  readonly before: BundleStatus | undefined
  readonly generation: number | undefined
  readonly contents: Contents
  readonly plan: RolloutPlan<DeploymentTarget>
  /** One for each step of the plan, in its order. */
  readonly outcomes: readonly StepOutcome[]
  readonly ociReference?: string | undefined
}

/** The status after a round. `now` is in milliseconds. */
export function nextStatus(round: RoundResult, now: number): BundleStatus {
  const { before, plan, outcomes, contents } = round
  const results = new Map(outcomes.map((outcome) => [outcome.step.target, outcome]))
  const entries = new Map(outcomes.map((outcome) => [outcome.step.target, entryOf(outcome)]))
  const summary = collectSummary(entries.values())
  const isWhole = outcomes.every(({ step }) => step.target.target.error === undefined)
  const zeros = keepZeros(before)
  return {
    conditions: setCondition(before?.conditions, readyCondition(round, summary), now),
    summary: withoutNewZeros(summary, before?.summary),
    newlyCreated: (plan.moreToCreate && plan.newlyCreated) || undefined,
    unavailable: zeros('unavailable', unavailableAfter(outcomes)),
    unavailablePartitions: zeros('unavailablePartitions', plan.unavailablePartitions),
    maxUnavailable: zeros('maxUnavailable', plan.maxUnavailable),
    maxUnavailablePartitions: zeros('maxUnavailablePartitions', plan.maxUnavailablePartitions),
    partitions: plan.partitions.map(({ name, count, maxUnavailable, members }) => ({
      // the rollout counts those that wait for the new version, too; upstream's status does not
      ...nonZero({ count, maxUnavailable, unavailable: unavailableAfter(members.map((member) => results.get(member))) }),
      name,
      summary: collectSummary(members.map((member) => inPartition(entries.get(member), plan.partitions.length))),
    })),
    display: displayOf(summary),
    observedGeneration: isWhole ? round.generation : before?.observedGeneration,
    resourcesSha256Sum: contents.sha256,
    ociReference: round.ociReference,
  }
}

/** The status of a bundle that cannot be rolled out at all: what is there stays as it is. */
export function refusedStatus(
  before: BundleStatus | undefined,
  ready: ConditionUpdate,
  contents: Contents | undefined,
  now: number,
): BundleStatus {
  return {
    ...before,
    conditions: setCondition(before?.conditions, ready, now),
    ...(contents ? { resourcesSha256Sum: contents.sha256 } : {}),
  }
}

function entryOf({ step, deployment, error }: StepOutcome): SummaryEntry {
  const { cluster, deploymentId, target } = step.target
  const name = `${cluster.metadata.namespace ?? ''}/${cluster.metadata.name}`
  if (target.error !== undefined) return { name, state: 'ErrApplied', message: target.error }
  const trouble = error === undefined || isConflict(error) ? undefined : messageOf(error)
  return {
    name,
    state: targetState(deploymentId, deployment),
    message: trouble ?? (targetMessage(deploymentId, deployment) || step.obstacle),
    modifiedStatus: deployment?.status?.modifiedStatus,
    nonReadyStatus: deployment?.status?.nonReadyStatus,
  }
}

/** The objects that are not ready stand in the summary of the whole, too: many partitions leave them out, and must not outgrow a status. */
function inPartition(entry: SummaryEntry = { name: '', state: '' }, partitions: number): SummaryEntry {
  const { name, state, message } = entry
  return partitions <= PARTITIONS_WITH_OBJECTS ? entry : { name, state, message }
}

function readyCondition({ outcomes }: RoundResult, summary: BundleSummary): ConditionUpdate {
  const type = 'Ready'
  const error = outcomes.map(({ step }) => step.target.target.error).find((each) => each !== undefined)
  if (error !== undefined) return { type, status: 'False', reason: 'Error', message: `targeting error: ${error}` } // the summary has the others
  const sentences = [...new Set(outcomes.flatMap(({ problems }) => problems))].sort()
  if (sentences[0] !== undefined)
    return { type, status: 'False', reason: 'Error', message: `${sentences[0]}${andMore(sentences.length - 1)}` }
  const message = readyMessage(summary, 'Cluster')
  return message ? { type, status: 'False', message } : trueCondition(type)
}

function andMore(count: number): string {
  return count > 0 ? ` (and ${count} more)` : ''
}

function unavailableAfter(outcomes: readonly (StepOutcome | undefined)[]): number {
  return outcomes.filter((outcome) => outcome?.deployment && isUnavailable(outcome.deployment)).length
}

function displayOf(summary: BundleSummary): NonNullable<BundleStatus['display']> {
  const state = summaryState(summary)
  return { readyClusters: `${summary.ready ?? 0}/${summary.desiredReady ?? 0}`, ...(state ? { state } : {}) }
}

type Counter = 'unavailable' | 'unavailablePartitions' | 'maxUnavailable' | 'maxUnavailablePartitions'

/** Upstream writes what changes: a counter that never was anything else than zero is absent, and one that comes back to it is written. */
function keepZeros(before: BundleStatus | undefined): (counter: Counter, value: number) => number | undefined {
  return (counter, value) => (value === 0 && before?.[counter] === undefined ? undefined : value)
}

function withoutNewZeros({ ready, desiredReady, ...rest }: BundleSummary, before: BundleSummary | undefined): BundleSummary {
  return {
    ...rest,
    ...(ready || before?.ready !== undefined ? { ready } : {}),
    ...(desiredReady || before?.desiredReady !== undefined ? { desiredReady } : {}),
  }
}

function nonZero(counters: Pick<PartitionStatus, 'count' | 'maxUnavailable' | 'unavailable'>): Partial<PartitionStatus> {
  return Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== 0))
}
