import { describe, expect, test } from 'vitest'
import type { Schedule } from '../api/schedule.ts'
import { decide, type Workspace } from './decide.ts'
import { cluster, group, schedule } from './objects.testing.ts'
import { windowsOf } from './window.ts'

const CLOSED = Date.parse('2026-01-02T01:00:00Z')
const OPEN = Date.parse('2026-01-02T02:30:00Z')

function decided(workspace: Partial<Workspace>, now = CLOSED) {
  const read = ({ spec }: Schedule) => windowsOf(spec, now, 'UTC')
  const { verdicts, flags, until } = decide({ schedules: [], clusters: [], groups: [], ...workspace }, read, now)
  return { statuses: verdicts.map(({ status }) => status), flags: Object.fromEntries(flags), until }
}

const HELD = { scheduled: true, active: false }
const FREE_TO_GO = { scheduled: true, active: true }
const clusters = [cluster('two', { env: 'dev' }), cluster('one', { env: 'prod' })]

test('a schedule tells whom it is for, sorted, and when it opens', () => {
  expect(decided({ schedules: [schedule('nightly')], clusters })).toEqual({
    statuses: [{ nextStartTime: '2026-01-02T02:00:00Z', matchingClusters: ['one', 'two'] }],
    flags: { one: HELD, two: HELD },
    until: Date.parse('2026-01-02T02:00:00Z'),
  })
})

test('whoever comes in the middle of a window finds it open', () => {
  const { statuses, flags, until } = decided({ schedules: [schedule('nightly')], clusters }, OPEN)
  expect(statuses).toEqual([{ active: true, nextStartTime: '2026-01-03T02:00:00Z', matchingClusters: ['one', 'two'] }])
  expect([flags.one, until]).toEqual([FREE_TO_GO, Date.parse('2026-01-02T03:00:00Z')])
})

test('a cluster is open as long as any of its schedules is', () => {
  const prod = { targets: { clusters: [{ clusterSelector: { matchLabels: { env: 'prod' } } }] } }
  const schedules = [
    schedule('nightly'),
    schedule('late', { ...prod, schedule: '0 30 2 * * ?' }),
    schedule('noon', { schedule: '0 0 12 * * ?' }),
  ]
  const at = (time: string) => decided({ schedules, clusters }, Date.parse(`2026-01-02T${time}:00Z`))
  expect(at('02:15').flags).toEqual({ one: FREE_TO_GO, two: FREE_TO_GO })
  expect(at('03:00').flags).toEqual({ one: FREE_TO_GO, two: HELD })
  expect(at('03:30').flags).toEqual({ one: HELD, two: HELD })
  expect(at('03:30').until).toBe(Date.parse('2026-01-02T12:00:00Z'))
})

test('a schedule that is being deleted counts for nobody', () => {
  const leaving = schedule('nightly', {}, { matchingClusters: ['one', 'two'] }, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  expect(decided({ schedules: [leaving], clusters }, OPEN)).toEqual({ statuses: [], flags: {}, until: undefined })
  expect(decided({ schedules: [leaving, schedule('other')], clusters }, OPEN).flags).toEqual({ one: FREE_TO_GO, two: FREE_TO_GO })
})

describe('targets', () => {
  const groups = [
    group('production', { env: 'prod' }, { tier: 'gold' }),
    { ...group('broken', {}), spec: { selector: { matchLabels: { 'a b': 'x' } } } },
  ]
  test.each([
    ['by name', { clusterName: 'two' }, ['two']],
    ['by the name that users see', { clusterName: 'shown' }, ['three']],
    ['by group', { clusterGroup: 'production' }, ['one']],
    ['by labels of groups', { clusterGroupSelector: { matchLabels: { tier: 'gold' } } }, ['one']],
    ['that must all hold', { clusterSelector: { matchLabels: { env: 'dev' } }, clusterGroup: 'production' }, undefined],
    ['that say nothing', { name: 'nothing' }, undefined],
  ])('%s', (_, target, expected) => {
    const all = [...clusters, cluster('three', { 'management.cattle.io/cluster-display-name': 'shown' })]
    const schedules = [schedule('s', { targets: { clusters: [target] } })]
    expect(decided({ schedules, clusters: all, groups }).statuses[0]?.matchingClusters).toEqual(expected)
  })

  test('clusters that are being deleted are left alone', () => {
    const leaving = cluster('one')
    const gone = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
    expect(decided({ schedules: [schedule('s')], clusters: [gone] }).flags).toEqual({})
  })
})

describe('a schedule that cannot be used', () => {
  const BAD = { schedule: 'every day' }

  test('says so and holds nobody', () => {
    const { statuses, flags, until } = decided({ schedules: [schedule('bad', BAD)], clusters })
    expect(statuses[0]?.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'Error', message: expect.stringContaining('"every day"') },
    ])
    expect([Object.keys(statuses[0] ?? {}), flags, until]).toEqual([['conditions'], {}, undefined])
  })

  test('holds on the clusters that it held before, and opens nothing', () => {
    const before = { active: true, nextStartTime: '2026-01-03T02:00:00Z', matchingClusters: ['gone', 'one'] }
    const { statuses, flags } = decided({ schedules: [schedule('bad', BAD, before)], clusters }, OPEN)
    expect(statuses[0]).toMatchObject({ matchingClusters: ['one'] })
    expect([statuses[0]?.active, statuses[0]?.nextStartTime, flags]).toEqual([undefined, undefined, { one: HELD }])
  })

  test('does not stand in the way of others', () => {
    expect(decided({ schedules: [schedule('bad', BAD), schedule('good')], clusters }, OPEN).flags).toEqual({
      one: FREE_TO_GO,
      two: FREE_TO_GO,
    })
  })

  test('is well again as soon as it is corrected', () => {
    const conditions = [{ type: 'Ready', status: 'False', message: 'oops' }]
    expect(decided({ schedules: [schedule('s', {}, { conditions })], clusters }).statuses[0]?.conditions).toBeUndefined()
  })

  test('has an invalid selector', () => {
    const targets = { clusters: [{ clusterSelector: { matchLabels: { 'a b': 'x' } } }] }
    expect(decided({ schedules: [schedule('s', { targets })], clusters }).statuses[0]?.conditions?.[0]).toMatchObject({ status: 'False' })
  })

  test.each(['0 0 2 1 1 ? 2020', '0 0 2 30 2 ?'])('never starts: %s', (cron) => {
    const message = `schedule "${cron}" names no time that is still to come: change it, or delete it to free its clusters`
    expect(decided({ schedules: [schedule('s', { schedule: cron })], clusters }).statuses[0]?.conditions).toMatchObject([
      { status: 'False', message },
    ])
  })
})
