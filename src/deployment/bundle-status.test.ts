import { describe, expect, test } from 'vitest'
import type { BundleStatus, RolloutStrategy } from '../api/bundle.ts'
import { planRollout } from '../target/rollout.ts'
import type { StepOutcome } from './apply-step.ts'
import { nextStatus, OWNED_STATUS, refusedStatus } from './bundle-status.ts'
import type { DeploymentTarget } from './desired.ts'
import { cluster, deployment, target } from './testing/objects.ts'

const contents = { kind: 'stored', id: 's-new', sha256: 'abc' } as const
const NOW = Date.UTC(2026, 0, 1)

interface Given {
  runs?: string
  ready?: boolean
  fails?: string
  hindrance?: string
  problems?: string[]
  error?: Error
  message?: string
}

/** The status after a round in which the deployments are left as they are given. */
function statusOf(
  given: Record<string, Given>,
  { before, strategy }: { before?: BundleStatus; strategy?: RolloutStrategy } = {},
): BundleStatus {
  const targets: DeploymentTarget[] = Object.entries(given).map(([name, { runs, ready = true, fails, hindrance, message }]) => {
    const on = cluster(name)
    const deploymentId = fails ? '' : 'new'
    const conditions = message ? [{ type: 'Deployed', status: 'False', message }] : []
    const bd =
      runs === undefined
        ? undefined
        : deployment({ deploymentID: runs, stagedDeploymentID: 'new' }, { appliedDeploymentID: runs, ready, nonModified: true, conditions })
    return { target: target({ cluster: on, deploymentId, error: fails }), cluster: on, groups: [], deploymentId, deployment: bd, hindrance }
  })
  const plan = planRollout({ targets, strategy, paused: false })
  const outcomes: StepOutcome[] = plan.steps.map((step) => {
    const { problems = [], error } = given[step.target.cluster.metadata.name] ?? {}
    return { step, deployment: step.target.deployment, problems, ...(error ? { error } : {}) }
  })
  return nextStatus({ before, generation: 7, contents, plan, outcomes }, NOW)
}

const readyOf = (status: BundleStatus) => status.conditions?.find(({ type }) => type === 'Ready')

test('all is well', () => {
  const status = statusOf({ a: { runs: 'new' }, b: { runs: 'new' } })
  expect(JSON.parse(JSON.stringify(status))).toEqual({
    conditions: [{ type: 'Ready', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' }],
    summary: { ready: 2, desiredReady: 2 },
    maxUnavailable: 2,
    partitions: [{ name: 'All', count: 2, maxUnavailable: 2, summary: { ready: 2, desiredReady: 2 } }],
    display: { readyClusters: '2/2' },
    observedGeneration: 7,
    resourcesSha256Sum: 'abc',
  })
  expect(Object.keys(status).sort()).toEqual([...OWNED_STATUS].sort())
})

test('no target at all is all well', () => {
  const status = statusOf({})
  expect([readyOf(status)?.status, status.display?.readyClusters, status.summary, status.maxUnavailable]).toEqual(['True', '0/0', {}, 1])
})

test('zeros are written where a number stood, and nowhere else', () => {
  const zeros = { unavailable: 0, summary: { ready: 0, desiredReady: 0 } }
  expect(statusOf({}, { before: zeros })).toMatchObject(zeros)
  const after = statusOf({}, { before: { newlyCreated: 3, unavailable: 2, summary: { ready: 1, desiredReady: 2 } } })
  expect(after).toMatchObject({ newlyCreated: undefined, ...zeros })
})

test('what waits, what failed and what is in the way is counted and named', () => {
  const status = statusOf({
    a: { runs: 'old' },
    b: { runs: 'old', message: 'no such chart' },
    c: { hindrance: 'cluster has no namespace yet' },
    d: { runs: 'old', error: new Error('quota exceeded') },
  })
  expect(readyOf(status)?.message).toBe(
    'ErrApplied(1) [Cluster ws/b: no such chart]; Pending(1) [Cluster ws/c: cluster has no namespace yet]; WaitApplied(2) [Cluster ws/a]',
  )
  expect(status.summary?.nonReadyResources?.[3]).toEqual({ name: 'ws/d', bundleState: 'WaitApplied', message: 'quota exceeded' })
  expect(status.display).toEqual({ readyClusters: '0/4', state: 'ErrApplied' })
})

describe('errors of the user', () => {
  test('on some clusters: the generation is not observed, the others go on', () => {
    const status = statusOf(
      { a: { runs: 'new' }, b: { fails: 'cluster b in namespace ws: no' }, c: { fails: 'cluster c in namespace ws: no' } },
      { before: { observedGeneration: 6 } },
    )
    expect(readyOf(status)).toMatchObject({
      status: 'False',
      reason: 'Error',
      message: 'targeting error: cluster b in namespace ws: no',
    })
    expect([status.observedGeneration, status.summary?.ready, status.summary?.errApplied]).toEqual([6, 1, 2])
  })

  test('about the bundle as a whole are told once', () => {
    const status = statusOf({ a: { runs: 'new', problems: ['z', 'x'] }, b: { runs: 'new', problems: ['x'] } })
    expect(readyOf(status)).toMatchObject({ status: 'False', reason: 'Error', message: 'x (and 1 more)' })
  })

  test('that stop it leave what is there', () => {
    const before: BundleStatus = {
      summary: { ready: 1 },
      observedGeneration: 3,
      conditions: [{ type: 'Ready', status: 'True', lastUpdateTime: 'then' }],
    }
    const status = refusedStatus(before, { type: 'Ready', status: 'False', reason: 'Error', message: 'no' }, contents, NOW)
    expect(status).toEqual({
      ...before,
      resourcesSha256Sum: 'abc',
      conditions: [{ type: 'Ready', status: 'False', reason: 'Error', message: 'no', lastUpdateTime: '2026-01-01T00:00:00Z' }],
    })
  })
})

test('new deployments are counted while others wait for their turn', () => {
  expect(statusOf({ a: {}, b: {} }, { strategy: { maxNew: 1 } }).newlyCreated).toBe(1)
  expect(statusOf({ a: {}, b: {} }).newlyCreated).toBeUndefined()
})

test('partitions name clusters, and leave their objects to the summary of the whole', () => {
  const status = statusOf(
    { a: { runs: 'new', ready: false }, b: { runs: 'new' } },
    {
      strategy: {
        partitions: [
          { name: 'x', clusterName: 'a' },
          { name: 'y', clusterName: 'b' },
        ],
      },
    },
  )
  expect(status.partitions).toEqual([
    {
      name: 'x',
      count: 1,
      maxUnavailable: 1,
      unavailable: 1,
      summary: { ready: 0, desiredReady: 1, notReady: 1, nonReadyResources: [{ name: 'ws/a', bundleState: 'NotReady' }] },
    },
    { name: 'y', count: 1, maxUnavailable: 1, summary: { ready: 1, desiredReady: 1 } },
  ])
})
