// One pass over the partitions of a rollout: what is created, staged and promoted while the limits allow it (spec 5.2).
import type { Candidate } from './match.ts'
import type { Partition } from './partitions.ts'
import type { RolloutPartition, RolloutTarget } from './rollout-types.ts'

/** A target on its way through a round. */
export interface State<T> extends Candidate {
  readonly target: T
  readonly paused: boolean
  current: string
  staged: string
  exists: boolean
  created: boolean
  stages: boolean
  promotes: boolean
  obstacle: string | undefined
}

/** What is counted over all partitions of one round. */
export interface Round<T> {
  readonly states: readonly State<T>[]
  readonly partitions: readonly Partition<State<T>>[]
  readonly maxUnavailable: number
  readonly maxUnavailablePartitions: number
  /** How many more deployments may be created. */
  left: number
  /** How many could not be created because of that. */
  missed: number
  /** Deployments that were there before and are unavailable. */
  unavailable: number
  /** A deployment became available by what was decided. */
  freed: boolean
}

/** Partition by partition, until too many are unavailable. */
export function rollAll<T extends RolloutTarget>(round: Round<T>): RolloutPartition<T>[] {
  round.freed = false
  round.missed = 0
  round.unavailable = count(round.states, (state) => !state.created && isUnavailable(state))
  let failed = 0
  let isBlocked = false
  return round.partitions.map((partition) => {
    const reached = !isBlocked
    if (reached) roll(partition, round)
    else hold(partition)
    const unavailable = count(partition.members, reached ? isBehind : isUnavailable)
    const tooMany = reached && unavailable > partition.maxUnavailable
    if (tooMany && ++failed > round.maxUnavailablePartitions) isBlocked = true
    return { ...describe(partition), unavailable, tooMany }
  })
}

function roll<T extends RolloutTarget>(partition: Partition<State<T>>, round: Round<T>): void {
  let unavailable = count(partition.members, (state) => !state.created && isUnavailable(state))
  for (const state of partition.members) {
    state.obstacle = state.target.hindrance
    create(state, round)
    if (!state.exists || !state.target.deploymentId) continue
    state.staged = state.target.deploymentId
    state.stages = true
  }
  for (const state of partition.members) {
    const before = isUnavailable(state)
    const mayBreak = before || (round.unavailable < round.maxUnavailable && unavailable < partition.maxUnavailable)
    if (!promote(state, mayBreak) || state.created) continue
    const change = Number(isUnavailable(state)) - Number(before)
    round.unavailable += change
    unavailable += change
    if (change < 0) round.freed = true
  }
}

/** A partition that is not reached is left as it is. */
function hold<T extends RolloutTarget>({ members }: Partition<State<T>>): void {
  for (const state of members) if (!state.stages) state.obstacle = state.target.hindrance
}

function create<T extends RolloutTarget>(state: State<T>, round: Round<T>): void {
  if (state.exists || state.obstacle !== undefined || !state.target.deploymentId) return
  if (round.left === 0) {
    round.missed++
    return
  }
  round.left--
  state.exists = true
  state.created = true
}

/** True if the current version changes to another id. */
function promote<T>(state: State<T>, mayBreak: boolean): boolean {
  if (!state.stages || state.paused) return false
  if (state.current === state.staged) {
    state.promotes = true
    return false
  }
  if (!mayBreak) return false
  state.promotes = true
  state.current = state.staged
  return true
}

/** A target before the round. */
export function stateOf<T extends RolloutTarget>(target: T, paused: boolean): State<T> {
  const { cluster, groups, deployment } = target
  return {
    target,
    cluster,
    groups,
    paused: isPaused(target, paused),
    current: deployment?.spec.deploymentID ?? '',
    staged: deployment?.spec.stagedDeploymentID ?? '',
    exists: deployment !== undefined,
    created: false,
    stages: false,
    promotes: false,
    obstacle: target.hindrance,
  }
}

/** Whether new versions are only staged on a target. */
export function isPaused({ cluster }: Candidate, bundlePaused: boolean): boolean {
  return bundlePaused || (cluster.spec?.paused ?? false)
}

/** The agent has not applied the current version, or it is not ready. A deployment that was just made is unavailable. */
export function isUnavailable<T extends RolloutTarget>({ exists, current, target }: State<T>): boolean {
  if (!exists) return false
  const { appliedDeploymentID = '', ready = false } = target.deployment?.status ?? {}
  return appliedDeploymentID !== current || !ready
}

/** Stricter: not available, or not at the version of the target. */
function isBehind<T extends RolloutTarget>(state: State<T>): boolean {
  const { target, staged, current } = state
  const wanted = target.deploymentId
  const isUpToDate = wanted !== '' && staged === wanted && current === wanted && target.deployment?.status?.appliedDeploymentID === wanted
  return !isUpToDate || isUnavailable(state)
}

function describe<T>({ name, members, maxUnavailable }: Partition<State<T>>): Omit<RolloutPartition<T>, 'tooMany'> {
  return { name, count: members.length, maxUnavailable, members: members.map(({ target }) => target) }
}

/** How many items pass the test. */
export function count<T>(items: readonly T[], test: (item: T) => boolean): number {
  return items.reduce((sum, item) => sum + Number(test(item)), 0)
}
