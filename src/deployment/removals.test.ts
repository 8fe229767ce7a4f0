import { expect, test } from 'vitest'
import type { Cluster } from '../api/cluster.ts'
import { removalsOf } from './removals.ts'
import { cluster, deployment } from './testing/objects.ts'

const on = (name: string, spec = {}, metadata = {}) =>
  deployment(
    spec,
    {},
    { namespace: `cluster-${name}`, labels: { 'fleet.cattle.io/cluster': name, 'fleet.cattle.io/cluster-namespace': 'ws' }, ...metadata },
  )

test('deployments go from clusters that are no targets, but not those that the agent must not uninstall now', () => {
  const leaving: Cluster = { ...cluster('leaving'), metadata: { name: 'leaving', namespace: 'ws', deletionTimestamp: 'now' } }
  const closed = cluster('off', {}, { namespace: 'cluster-off', scheduled: true })
  const find = (name: string) => (name === 'leaving' ? leaving : name === 'off' ? closed : cluster(name))
  const all = [
    on('kept'),
    on('dropped'),
    on('gone'),
    on('off', { offSchedule: true }),
    on('leaving'),
    on('deleted', {}, { deletionTimestamp: 'now' }),
  ]
  const targets = [{ cluster: cluster('kept'), groups: [] }]
  expect(removalsOf(all, targets, (name) => (name === 'gone' ? undefined : find(name))).map(({ metadata }) => metadata.namespace)).toEqual([
    'cluster-dropped',
    'cluster-gone',
  ])
})

test('a cluster that got another namespace leaves its old one', () => {
  const moved = cluster('one', {}, { namespace: 'cluster-new' })
  expect(removalsOf([on('one')], [{ cluster: moved, groups: [] }], () => moved)).toHaveLength(1)
})

test('the schedule of the cluster decides as it is now, whatever the deployment was told last', () => {
  const find = (status: object) => () => cluster('one', {}, { namespace: 'cluster-one', ...status })
  const wasOff = [on('one', { offSchedule: true })]
  expect(removalsOf(wasOff, [], find({ scheduled: true, activeSchedule: true }))).toEqual(wasOff)
  expect(removalsOf(wasOff, [], find({}))).toEqual(wasOff)
  expect(removalsOf(wasOff, [], find({ scheduled: true }))).toEqual([])
  expect(removalsOf([on('one')], [], find({ scheduled: true }))).toEqual([])
  expect(removalsOf(wasOff, [], () => undefined)).toEqual([])
})
