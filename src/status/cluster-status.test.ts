import { expect, test } from 'vitest'
import { BUNDLE_NAMESPACE_LABEL, HELM_OP_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import { foldCluster } from './cluster-status.ts'
import { cluster, deployment, NOW, READY } from './objects.testing.ts'

const all = { gitRepoExists: () => true, helmOpExists: () => true }
const seen = { agent: { lastSeen: '2026-01-01T00:00:00Z' } }

test('sums up its deployments in the order of their names', () => {
  const status = foldCluster(
    cluster('one', seen),
    [
      deployment('one', 'b', { ...READY, ready: false, resourceCounts: { ready: 1, desiredReady: 2, notReady: 1 } }),
      deployment('one', 'c', { ...READY, resourceCounts: { ready: 2, desiredReady: 2 } }),
      deployment('one', 'a'),
    ],
    all,
    NOW,
  )
  expect(status.summary).toEqual({
    ready: 1,
    desiredReady: 3,
    notReady: 1,
    waitApplied: 1,
    nonReadyResources: [
      { name: 'a', bundleState: 'WaitApplied' },
      { name: 'b', bundleState: 'NotReady' },
    ],
  })
  expect(status.display).toEqual({ readyBundles: '1/3', state: 'WaitApplied' })
  expect(status.resourceCounts).toMatchObject({ ready: 3, desiredReady: 4, notReady: 1, missing: 0 })
  expect(status.conditions?.map(({ type, status: value, message }) => [type, value, message])).toEqual([
    ['Ready', 'False', 'NotReady(1) [Bundle b]; WaitApplied(1) [Bundle a]'],
    ['Processed', 'True', undefined],
  ])
})

test('all ready: no state, no message', () => {
  const status = foldCluster(cluster('one', seen), [deployment('one', 'a', READY)], all, NOW)
  expect(status.display).toEqual({ readyBundles: '1/1' })
  expect(status.conditions?.[0]).toEqual({ type: 'Ready', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' })
})

test('a cluster that has never called home waits for that, whatever its deployments say', () => {
  expect(foldCluster(cluster('one'), [deployment('one', 'a', READY)], all, NOW).display).toEqual({
    readyBundles: '1/1',
    state: 'WaitCheckIn',
  })
})

test('counts the makers that exist; one is ready when any of its deployments is', () => {
  const from = (labels: Record<string, string>) => ({ labels: { [REPO_NAME_LABEL]: '', [BUNDLE_NAMESPACE_LABEL]: 'ws', ...labels } })
  const deployments = [
    deployment('one', 'a', READY, from({ [REPO_NAME_LABEL]: 'first' })),
    deployment('one', 'b', undefined, from({ [REPO_NAME_LABEL]: 'first' })),
    deployment('one', 'c', undefined, from({ [REPO_NAME_LABEL]: 'second' })),
    deployment('one', 'd', READY, from({ [REPO_NAME_LABEL]: 'gone' })),
    deployment('one', 'e', READY, from({ [HELM_OP_LABEL]: 'chart' })),
    deployment('one', 'f', READY, from({})),
    deployment('one', 'g', READY, from({ [HELM_OP_LABEL]: 'other', [REPO_NAME_LABEL]: 'first' })), // counts for the GitRepo alone
  ]
  const makers = { gitRepoExists: (key: string) => key !== 'ws/gone', helmOpExists: () => true }
  expect(foldCluster(cluster('one'), deployments, makers, NOW)).toMatchObject({
    readyGitRepos: 1,
    desiredReadyGitRepos: 2,
    readyHelmOps: 1,
    desiredReadyHelmOps: 1,
  })
})

test('deployments that are being deleted do not count', () => {
  const leaving = deployment('one', 'a', undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  expect(foldCluster(cluster('one', seen), [leaving], all, NOW)).toMatchObject({
    summary: { ready: 0, desiredReady: 0 },
    display: { readyBundles: '0/0' },
  })
})

test('conditions of others stay, and nothing changes the second time', () => {
  const imported = { type: 'Imported', status: 'True', lastUpdateTime: '2025-01-01T00:00:00Z' }
  const first = foldCluster(cluster('one', { conditions: [imported] }), [deployment('one', 'a')], all, NOW)
  expect(first.conditions?.[0]).toEqual(imported)
  const again = foldCluster(cluster('one', first), [deployment('one', 'a')], all, NOW + 60_000)
  expect(again).toEqual(first)
})
