import { describe, expect, test } from 'vitest'
import type { RolloutStrategy } from '../api/bundle.ts'
import { planRollout } from './rollout.ts'
import type { RolloutTarget } from './rollout-types.ts'
import { applyPlan, cluster, deployment, report, versions } from './testing/rollout-world.ts'

interface Given {
  /** Version that runs, and whether it says so and is ready; absent: no deployment. */
  [name: string]: { runs?: string; ready?: boolean; labels?: Record<string, string>; paused?: boolean; hindrance?: string; fails?: boolean }
}

/** Targets that should get version 2. */
function targetsOf(given: Given): RolloutTarget[] {
  return Object.entries(given).map(([name, { runs, ready = true, labels, paused, hindrance, fails }]) => ({
    cluster: cluster(name, labels, paused),
    groups: [],
    deploymentId: fails ? '' : 'v2',
    deployment: runs === undefined ? undefined : deployment(runs, ready),
    hindrance,
  }))
}

function plan(given: Given, strategy?: RolloutStrategy, paused = false) {
  return planRollout({ targets: targetsOf(given), strategy, paused })
}

/** What runs and what is staged after a plan, as `current/staged`. */
function outcome(given: Given, strategy?: RolloutStrategy, paused = false): Record<string, string> {
  return versions(applyPlan(plan(given, strategy, paused)))
}

describe('limits', () => {
  test('without a strategy all get the new version at once', () => {
    expect(outcome({ b: { runs: 'v1' }, a: { runs: 'v1' }, c: {} })).toEqual({ a: 'v2/v2', b: 'v2/v2', c: 'v2/v2' })
  })

  test('no more than maxUnavailable are updated, in the order of names', () => {
    const result = plan({ b: { runs: 'v1' }, c: { runs: 'v1' }, a: { runs: 'v1' } }, { maxUnavailable: 1 })
    expect(versions(applyPlan(result))).toEqual({ a: 'v2/v2', b: 'v1/v2', c: 'v1/v2' })
    expect(result).toMatchObject({
      unavailable: 1,
      maxUnavailable: 1,
      newlyCreated: 0,
      unavailablePartitions: 1,
      maxUnavailablePartitions: 0,
    })
  })

  test('what is unavailable anyway is updated beyond the limit', () => {
    expect(outcome({ a: { runs: 'v1' }, b: { runs: 'v1', ready: false } }, { maxUnavailable: 1 })).toEqual({ a: 'v1/v2', b: 'v2/v2' })
  })

  test('one that returns to the version it runs makes room for the next', () => {
    const targets = targetsOf({ a: { runs: 'v1' }, b: { runs: 'v1' } })
    const back = { ...deployment('v1', true), status: { appliedDeploymentID: 'v2', ready: true } }
    expect(
      versions(
        applyPlan(
          planRollout({ targets: [{ ...targets[0]!, deployment: back }, targets[1]!], strategy: { maxUnavailable: 1 }, paused: false }),
        ),
      ),
    ).toEqual({
      a: 'v2/v2',
      b: 'v2/v2',
    })
  })

  test('a limit of zero stages only', () => {
    expect(outcome({ a: { runs: 'v1' } }, { maxUnavailable: 0 })).toEqual({ a: 'v1/v2' })
  })

  test('an invalid limit is told', () => {
    expect(() => plan({ a: {} }, { maxUnavailable: 'some' })).toThrow(
      'failed to reset bundle status from targets: invalid maxUnavailable, must be int or percentage (ending with %): some',
    )
    expect(() => plan({ a: {} }, { partitions: [{ clusterName: 'a', maxUnavailable: '0' }] })).toThrow(
      'failed to update partitions: invalid maxUnavailable',
    )
    expect(() => plan({ a: {} }, { partitions: [{ clusterSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } }] })).toThrow(
      'Near',
    )
    expect(() => plan({}, { maxUnavailable: 'some' })).not.toThrow()
  })
})

describe('new deployments', () => {
  test('are made no more than maxNew at a time', () => {
    const result = plan({ a: {}, b: {}, c: { runs: 'v1' } }, { maxNew: 1 })
    expect(result).toMatchObject({ newlyCreated: 1, moreToCreate: true, unavailable: 2 })
    expect(versions(applyPlan(result))).toEqual({ a: 'v2/v2', c: 'v2/v2' })
    expect(result.steps[1]).toMatchObject({ create: false, obstacle: undefined })
  })

  test('are not made at all with maxNew 0, and nothing is to be done about it', () => {
    expect(plan({ a: {} }, { maxNew: 0 })).toMatchObject({ newlyCreated: 0, moreToCreate: false })
  })

  test('do not count as unavailable for those that exist', () => {
    expect(outcome({ a: {}, b: { runs: 'v1' } }, { maxUnavailable: 1 })).toEqual({ a: 'v2/v2', b: 'v2/v2' })
  })

  test('are not made where something stands in the way', () => {
    const result = plan({ a: { hindrance: 'no namespace' }, b: {} })
    expect(result.steps.map(({ create, obstacle }) => [create, obstacle])).toEqual([
      [false, 'no namespace'],
      [true, undefined],
    ])
    expect(result.moreToCreate).toBe(false)
  })
})

describe('pause', () => {
  test('a paused bundle stages everywhere, new deployments too', () => {
    expect(outcome({ a: { runs: 'v1' }, b: {} }, undefined, true)).toEqual({ a: 'v1/v2', b: '/v2' })
  })

  test('a paused cluster holds only its own version', () => {
    expect(outcome({ a: { runs: 'v1', paused: true }, b: { runs: 'v1' } })).toEqual({ a: 'v1/v2', b: 'v2/v2' })
  })

  test('options beside the id follow where the version is the same, unless paused', () => {
    expect(plan({ a: { runs: 'v2' } }).steps[0]).toMatchObject({ stage: true, promote: true })
    expect(plan({ a: { runs: 'v2' } }, undefined, true).steps[0]).toMatchObject({ stage: true, promote: false })
  })
})

describe('partitions', () => {
  const strategy: RolloutStrategy = {
    partitions: [
      { name: 'first', clusterSelector: { matchLabels: { wave: '1' } }, maxUnavailable: 1 },
      { name: 'second', clusterSelector: { matchLabels: { wave: '2' } } },
    ],
  }
  const [one, two] = [{ wave: '1' }, { wave: '2' }]

  test('a later one waits untouched until the earlier one is up to date', () => {
    const given = { a: { runs: 'v1', labels: two }, b: { runs: 'v1', labels: one }, c: { runs: 'v1', labels: one }, d: { labels: two } }
    const result = plan(given, strategy)
    expect(versions(applyPlan(result))).toEqual({ a: 'v1/v1', b: 'v2/v2', c: 'v1/v2' })
    expect(result.partitions.map(({ name, count, maxUnavailable, unavailable }) => [name, count, maxUnavailable, unavailable])).toEqual([
      ['first', 2, 1, 2],
      ['second', 2, 2, 0],
    ])
    expect(result.steps.map(({ obstacle }) => obstacle)).toEqual(Array(4).fill(undefined))
  })

  test('one cluster may be behind if the partition tolerates it', () => {
    const given = { a: { runs: 'v1', labels: two }, b: { runs: 'v2', labels: one }, c: { runs: 'v1', labels: one, paused: true } }
    expect(outcome(given, strategy)).toEqual({ a: 'v2/v2', b: 'v2/v2', c: 'v1/v2' })
  })

  test('a cluster whose options cannot be worked out counts as behind and is left alone', () => {
    const given = { a: { runs: 'v1', labels: two }, b: { runs: 'v1', labels: one, fails: true }, c: { labels: one, fails: true } }
    expect(outcome(given, strategy)).toEqual({ a: 'v1/v1', b: 'v1/v1' })
  })

  test('a cluster in no partition is left as it is, and that is said', () => {
    const result = plan({ a: { runs: 'v1' }, b: {} }, strategy)
    expect(versions(applyPlan(result))).toEqual({ a: 'v1/v1' })
    expect(result.steps.map(({ obstacle }) => obstacle)).toEqual(Array(2).fill('cluster is in no partition of the rollout strategy'))
  })

  test('a cluster in several is handled with the first that is reached', () => {
    const both: RolloutStrategy = {
      partitions: [
        { name: 'x', clusterName: 'a', maxUnavailable: 0 },
        { name: 'y', clusterSelector: {} },
      ],
    }
    const first = plan({ a: {}, b: {} }, both)
    expect(first.newlyCreated).toBe(1)
    const second = planRollout({ targets: report(applyPlan(first)), strategy: both, paused: false })
    expect(versions(applyPlan(second))).toEqual({ a: 'v2/v2', b: 'v2/v2' })
  })

  test('many clusters are cut into slices', () => {
    const given = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, {}]))
    const names = (auto: RolloutStrategy) => plan(given, auto).partitions.map(({ name, count }) => `${name}: ${count}`)
    expect(names({ autoPartitionThreshold: 5, autoPartitionSize: '50%' })).toEqual([
      'Partition 0 - 2: 2',
      'Partition 2 - 4: 2',
      'Partition 4 - 5: 1',
    ])
    expect(names({ autoPartitionThreshold: 6, autoPartitionSize: 1 })).toEqual(['All: 5'])
    expect(names({ autoPartitionThreshold: 0, autoPartitionSize: 1 })).toEqual(['All: 5'])
    expect(names({ autoPartitionThreshold: 1, autoPartitionSize: 0 })).toEqual(['All: 5'])
    expect(names({})).toEqual(['All: 5'])
  })
})
