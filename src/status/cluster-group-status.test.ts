import { expect, test } from 'vitest'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { CLUSTER_GROUP } from '../api/kinds.ts'
import { foldClusterGroup } from './cluster-group-status.ts'
import { cluster, NOW } from './objects.testing.ts'

function group(selector?: ClusterGroup['spec']['selector']): ClusterGroup {
  return { ...CLUSTER_GROUP, metadata: { name: 'eu', namespace: 'ws' }, spec: selector ? { selector } : {} }
}

const eu = { region: 'eu' }
const waiting = {
  summary: { desiredReady: 1, ready: 0, waitApplied: 1, nonReadyResources: [{ name: 'app', bundleState: 'WaitApplied' }] },
  resourceCounts: { desiredReady: 2 },
}
const ready = { summary: { desiredReady: 1, ready: 1 }, resourceCounts: { desiredReady: 2, ready: 2 } }

test('sums up its clusters and names those that are not ready', () => {
  const clusters = [
    cluster('c', waiting, eu),
    cluster('far', waiting, { region: 'us' }),
    cluster('a', waiting, eu),
    cluster('b', ready, eu),
  ]
  const status = foldClusterGroup(group({ matchLabels: eu }), clusters, NOW)
  expect(status).toMatchObject({ clusterCount: 3, nonReadyClusterCount: 2, nonReadyClusters: ['a', 'c'] })
  expect(status.display).toEqual({ readyBundles: '1/3', readyClusters: '1/3 (a,c)', state: 'WaitApplied' })
  expect(status.resourceCounts).toMatchObject({ ready: 2, desiredReady: 6 })
  expect(status.conditions?.map(({ type, status: value, message }) => [type, value, message])).toEqual([
    ['Ready', 'False', 'WaitApplied(2) [Bundle app]'],
    ['Processed', 'True', undefined],
  ])
})

test('without selector nothing belongs to it, with an empty one everything', () => {
  const clusters = [cluster('a', ready), cluster('b', ready)]
  expect(foldClusterGroup(group(), clusters, NOW)).toMatchObject({
    clusterCount: 0,
    nonReadyClusterCount: 0,
    display: { readyClusters: '0/0', readyBundles: '0/0' },
  })
  expect(foldClusterGroup(group({}), clusters, NOW)).toMatchObject({ clusterCount: 2, display: { readyClusters: '2/2' } })
})

test('names at most ten clusters', () => {
  const clusters = Array.from({ length: 12 }, (_, i) => cluster(`c${String(i).padStart(2, '0')}`, waiting))
  const status = foldClusterGroup(group({}), clusters, NOW)
  expect(status.nonReadyClusters).toHaveLength(10)
  expect(status.display?.readyClusters).toBe('0/12 (c00,c01,c02,c03,c04,c05,c06,c07,c08,c09)')
})

test('a cluster without deployments is ready', () => {
  expect(foldClusterGroup(group({}), [cluster('a')], NOW)).toMatchObject({ clusterCount: 1, nonReadyClusterCount: 0 })
})

test('a selector that cannot be read is reported, the numbers stay', () => {
  const broken = { ...group({ matchExpressions: [{ key: 'a', operator: 'Like', values: ['b'] }] }), status: { clusterCount: 3 } }
  const status = foldClusterGroup(broken, [cluster('a')], NOW)
  expect(status.clusterCount).toBe(3)
  expect(status.conditions).toMatchObject([
    { type: 'Processed', status: 'False', reason: 'Error', message: expect.stringContaining('Like') },
  ])
  expect(foldClusterGroup(broken, [], NOW)).toEqual(status)
})
