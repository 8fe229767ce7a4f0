import { expect, test } from 'vitest'
import { checkVectors } from '../testing/vectors.ts'
import type { BundleSummary } from './status.ts'
import {
  addSummaries,
  collectSummary,
  isSummaryReady,
  readyMessage,
  type SummaryEntry,
  summaryState,
  sumResourceCounts,
} from './summary.ts'

checkVectors(
  'bundle-states.json',
  ({ summary, word }: { kind: string; summary: BundleSummary; word: 'Cluster' | 'Bundle' }) => ({
    message: readyMessage(summary, word),
    state: summaryState(summary) ?? '',
  }),
  { only: ({ kind }) => kind === 'ready-message' },
)
checkVectors('bundle-states.json', ({ states }: { kind: string; states: SummaryEntry[] }) => collectSummary(states), {
  only: ({ kind }) => kind === 'collect',
})
checkVectors(
  'bundle-states.json',
  ({ left, right }: { kind: string; left: BundleSummary; right: BundleSummary }) => addSummaries(left, right),
  {
    only: ({ kind }) => kind === 'add',
  },
)

const listed = (count: number, prefix = 'c') =>
  Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i}`, bundleState: 'NotReady' }))

test('sums append the whole right list while the left one has room', () => {
  const sum = addSummaries(
    { notReady: 9, desiredReady: 10, ready: 1, nonReadyResources: listed(9) },
    { notReady: 5, desiredReady: 5, nonReadyResources: listed(5, 'd') },
  )
  expect(sum).toMatchObject({ notReady: 14, ready: 1, desiredReady: 15 })
  expect(sum.nonReadyResources).toHaveLength(14)
  expect(Object.keys(sum).sort()).toEqual(['desiredReady', 'nonReadyResources', 'notReady', 'ready'])
})

test('details are bounded, however large the patches are', () => {
  const huge = { kind: 'ConfigMap', name: 'x', patch: 'p'.repeat(20_000) }
  const summary = collectSummary(
    Array.from({ length: 10 }, (_, i) => ({
      name: `c${i}`,
      state: 'Modified',
      message: 'm'.repeat(10_000),
      modifiedStatus: Array(10).fill(huge),
      nonReadyStatus: [],
    })),
  )
  expect(summary.nonReadyResources).toHaveLength(10)
  expect(JSON.stringify(summary).length).toBeLessThan(110_000)
  expect(summary.nonReadyResources?.[0]?.modifiedStatus).toHaveLength(3)
  expect(summary.nonReadyResources?.[9]?.modifiedStatus).toBeUndefined()
})

test('null lists count as empty', () => {
  expect(collectSummary([{ name: 'a', state: 'NotReady', modifiedStatus: null, nonReadyStatus: null }]).nonReadyResources).toEqual([
    { name: 'a', bundleState: 'NotReady' },
  ])
})

test('a state that is no counter is not mistaken for one', () => {
  expect(collectSummary([{ name: 'a', state: 'toString' }])).toEqual({
    ready: 0,
    desiredReady: 1,
    nonReadyResources: [{ name: 'a', bundleState: 'toString' }],
  })
})

test('ready and not', () => {
  expect(isSummaryReady(undefined)).toBe(true)
  expect(isSummaryReady({ desiredReady: 2, ready: 2 })).toBe(true)
  expect(isSummaryReady({ desiredReady: 2 })).toBe(false)
})

test('counts add up, absent ones are zero', () => {
  expect(sumResourceCounts([{ ready: 1, desiredReady: 2, notReady: 1 }, null, { ready: 3, desiredReady: 3 }])).toEqual({
    ready: 4,
    desiredReady: 5,
    waitApplied: 0,
    modified: 0,
    orphaned: 0,
    missing: 0,
    unknown: 0,
    notReady: 1,
  })
})
