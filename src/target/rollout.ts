// The order in which a new version of a bundle reaches its clusters, as one pure plan (spec 5.2, 5.3).
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { compareClusters } from './candidates.ts'
import { limit } from './limit.ts'
import { partitionsOf } from './partitions.ts'
import { count, isUnavailable, type Round, rollAll, type State, stateOf } from './rollout-round.ts'
import type { RolloutInput, RolloutPlan, RolloutStep, RolloutTarget } from './rollout-types.ts'

const DEFAULT_MAX_NEW = 50

/**
 * Plans one round. Applied, it changes nothing when it is made again before any status changes (but for `moreToCreate`).
 * Throws TerminalError for a strategy with an invalid limit or selector.
 */
export function planRollout<T extends RolloutTarget>(input: RolloutInput<T>): RolloutPlan<T> {
  const states = [...input.targets].sort((a, b) => compareClusters(a.cluster, b.cluster)).map((target) => stateOf(target, input.paused))
  const strategy = (states.length > 0 && input.strategy) || {}
  const maxUnavailable = explain('failed to reset bundle status from targets', () => limit(states.length, strategy.maxUnavailable))
  const { partitions, maxUnavailablePartitions } = explain('failed to update partitions', () => {
    const all = partitionsOf(states, strategy)
    return { partitions: all, maxUnavailablePartitions: limit(all.length, strategy.maxUnavailablePartitions, 0) }
  })
  const maxNew = Math.max(strategy.maxNew ?? DEFAULT_MAX_NEW, 0)
  const round: Round<T> = {
    states,
    partitions,
    maxUnavailable,
    maxUnavailablePartitions,
    left: maxNew,
    missed: 0,
    unavailable: 0,
    freed: false,
  }

  for (const state of states) state.obstacle ??= 'cluster is in no partition of the rollout strategy'
  let statuses = rollAll(round)
  // A deployment that returns to the version it runs makes room for others, as often as there are such.
  while (round.freed) statuses = rollAll(round)

  return {
    steps: states.map(stepOf),
    partitions: statuses,
    newlyCreated: count(states, ({ created }) => created),
    moreToCreate: round.missed > 0 && maxNew > 0,
    unavailable: count(states, isUnavailable),
    maxUnavailable,
    unavailablePartitions: count(statuses, ({ tooMany }) => tooMany),
    maxUnavailablePartitions,
  }
}

function stepOf<T>({ target, created, stages, promotes, exists, obstacle }: State<T>): RolloutStep<T> {
  return { target, create: created, stage: stages, promote: promotes, obstacle: exists && stages ? undefined : obstacle }
}

function explain<T>(what: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw new TerminalError(`${what}: ${messageOf(error)}`, { cause: error })
  }
}
