// How the targets of a bundle are divided for a rollout (spec 5.1).
import type { RolloutStrategy } from '../api/bundle.ts'
import { limit } from './limit.ts'
import { type Candidate, compileCriteria, matchesAnyGroup } from './match.ts'

const DEFAULT_AUTO_SIZE = '25%'
const DEFAULT_AUTO_THRESHOLD = 200

export interface Partition<T> {
  readonly name: string
  readonly members: readonly T[]
  /** How many members may be unavailable before the next partition has to wait. */
  readonly maxUnavailable: number
}

/**
 * Partitions in the order of the rollout. With partitions of the strategy an item may be in several or in none; without, they are slices
 * in the order of the items. Throws TerminalError for an invalid limit, InvalidSelectorError for an invalid selector.
 */
export function partitionsOf<T extends Candidate>(items: readonly T[], strategy: RolloutStrategy): Partition<T>[] {
  if (strategy.partitions?.length) return defined(items, strategy)
  const { autoPartitionSize, autoPartitionThreshold } = strategy
  const threshold = autoPartitionThreshold ?? DEFAULT_AUTO_THRESHOLD
  const off = typeof autoPartitionSize === 'number' && autoPartitionSize <= 0
  if (off || threshold <= 0 || items.length < threshold) return [partition('All', items, strategy)]
  const size = limit(items.length, autoPartitionSize, DEFAULT_AUTO_SIZE)
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => {
    const from = index * size
    const members = items.slice(from, from + size)
    return partition(`Partition ${from} - ${from + members.length}`, members, strategy)
  })
}

function defined<T extends Candidate>(items: readonly T[], strategy: RolloutStrategy): Partition<T>[] {
  return (strategy.partitions ?? []).map((definition) => {
    const matches = compileCriteria(definition)
    const members = items.filter((item) => matchesAnyGroup(matches, item))
    return partition(definition.name ?? '', members, strategy, definition.maxUnavailable)
  })
}

function partition<T>(name: string, members: readonly T[], strategy: RolloutStrategy, own?: number | string): Partition<T> {
  return { name, members, maxUnavailable: limit(members.length, own, strategy.maxUnavailable) }
}
