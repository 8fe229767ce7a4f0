import { expect, test } from 'vitest'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import { CLUSTER, CLUSTER_REGISTRATION } from '../../api/kinds.ts'
import { isFinishedGitJob, JOB, type Job } from './jobs.ts'
import { checkedPace, pauseMs } from './pace.ts'
import { leftoversOf, outdatedRegistrations } from './registrations.ts'

const cluster = (name: string): Cluster => ({ ...CLUSTER, metadata: { name, namespace: 'ws' }, spec: {} })

function registration(name: string, hour: number, status?: ClusterRegistration['status'], namespace = 'ws'): ClusterRegistration {
  const creationTimestamp = `2026-01-01T0${hour}:00:00Z`
  return { ...CLUSTER_REGISTRATION, metadata: { name, namespace, creationTimestamp }, spec: {}, ...(status ? { status } : {}) }
}
const outdated = (...registrations: ClusterRegistration[]) =>
  outdatedRegistrations(registrations, [cluster('a')]).map((one) => one.registration.metadata.name)

test('older ones go, granted or not; the newest granted one and what came later stay', () => {
  const granted = { clusterName: 'a', granted: true }
  const all = [
    registration('1-granted', 1, granted),
    registration('2-refused', 2, { clusterName: 'a' }),
    registration('3-granted', 3, granted),
    registration('3-same-second', 3, granted),
    registration('4-pending', 4, { clusterName: 'a' }),
  ]
  expect(outdated(...all)).toEqual(['1-granted', '2-refused'])
  expect(outdated(...all.toReversed())).toEqual(['2-refused', '1-granted'])
})

test('those of a cluster that is gone go; a cluster of another namespace does not count', () => {
  expect(
    outdated(registration('gone', 1, { clusterName: 'b' }), registration('fresh', 1), registration('empty', 1, { clusterName: '' })),
  ).toEqual(['gone'])
  expect(outdated(registration('elsewhere', 1, { clusterName: 'a', granted: true }, 'other'))).toEqual(['elsewhere'])
})

test('without a granted one nothing is too old', () => {
  expect(outdated(registration('x', 1, { clusterName: 'a' }), registration('y', 2, { clusterName: 'a' }))).toEqual([])
})

test('what is being deleted is left alone', () => {
  const going = registration('going', 1, { clusterName: 'b' })
  expect(outdated({ ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })).toEqual([])
})

test('rights of the same name go with a registration', () => {
  const place = { apiVersion: 'rbac.authorization.k8s.io/v1', name: 'old', namespace: 'ws' }
  expect(leftoversOf(registration('old', 1))).toEqual([
    { ...place, kind: 'Role' },
    { ...place, kind: 'RoleBinding' },
  ])
})

test('pauses grow up to the longest', () => {
  const pace = checkedPace({ min: 10, max: 100, factor: 2 })
  expect([0, 1, 2, 3, 4, 1_000_000].map((count) => pauseMs(pace, count, 1))).toEqual([10, 20, 40, 80, 100, 100])
  expect(pauseMs(pace, 3, 0)).toBe(10)
})

test.each([
  [{ min: 0, max: 1, factor: 2 }, '--min'],
  [{ min: -1, max: 1, factor: 2 }, '--min'],
  [{ min: 1, max: 0, factor: 2 }, '--max'],
  [{ min: 2, max: 1, factor: 2 }, 'must not be less'],
  [{ min: 1, max: 2, factor: 1 }, '--factor'],
  [{ min: 1, max: 2, factor: Number.NaN }, '--factor'],
])('%j is refused', (pace, message) => {
  expect(() => checkedPace(pace)).toThrow(message)
})

function job(status: Job['status'], owner?: { apiVersion: string; kind: string }): Job {
  const ownerReferences = owner ? [{ name: 'r', uid: 'u', ...owner }] : []
  return { ...JOB, metadata: { name: 'j', namespace: 'ws', ownerReferences }, ...(status ? { status } : {}) }
}
const gitRepo = { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'GitRepo' }
const done = { succeeded: 1, completionTime: '2026-01-01T00:00:00Z' }

test('only finished jobs of GitRepos go', () => {
  expect(isFinishedGitJob(job(done, gitRepo))).toBe(true)
  expect(isFinishedGitJob(job(done))).toBe(false)
  expect(isFinishedGitJob(job(done, { ...gitRepo, apiVersion: 'other/v1' }))).toBe(false)
  expect(isFinishedGitJob(job(done, { apiVersion: 'batch/v1', kind: 'CronJob' }))).toBe(false)
  expect(isFinishedGitJob(job({ succeeded: 1 }, gitRepo))).toBe(false)
  expect(isFinishedGitJob(job({ succeeded: 0, completionTime: null }, gitRepo))).toBe(false)
  expect(isFinishedGitJob(job(undefined, gitRepo))).toBe(false)
})
