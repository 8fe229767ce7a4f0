import { describe, expect, it } from 'vitest'
import type { PodSnapshot } from './status.ts'
import { computePodStatus } from './status.ts'
import type { ContainerSnapshot } from './supervisor.ts'
import type { Pod, PodStatus, RestartPolicy } from './types.ts'

const NOW = '2026-01-01T00:01:00Z'
const EARLIER = '2026-01-01T00:00:00Z'

function container(state: ContainerSnapshot['state'], more: Partial<ContainerSnapshot> = {}): ContainerSnapshot {
  return { id: 'process://1', state, lastState: {}, restartCount: 0, started: false, ready: false, ...more }
}
const running = container({ running: { startedAt: EARLIER } }, { started: true, ready: true })
const unready = container({ running: { startedAt: EARLIER } }, { started: true })
const ended = (exitCode: number) => container({ terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } })
const crashing = container({ waiting: { reason: 'CrashLoopBackOff' } }, { lastState: { terminated: { exitCode: 1, reason: 'Error' } } })
const waiting = container({ waiting: { reason: 'CreateContainerConfigError' } })

interface Case {
  readonly policy?: RestartPolicy
  readonly init?: readonly ContainerSnapshot[]
  readonly main?: readonly ContainerSnapshot[]
  readonly before?: PodStatus
  readonly snapshot?: Partial<PodSnapshot>
  /** How many containers the pod has, when more than have begun. */
  readonly containers?: number
}

function compute({ policy = 'Always', init = [], main = [], before, snapshot, containers = main.length }: Case): PodStatus {
  const name = (kind: string) => (_: unknown, index: number) => ({ name: `${kind}-${index}`, image: `image-${kind}` })
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod' },
    spec: { restartPolicy: policy, initContainers: init.map(name('init')), containers: Array.from({ length: containers }, name('main')) },
    ...(before === undefined ? {} : { status: before }),
  }
  const named = (kind: string, list: readonly ContainerSnapshot[]) =>
    Object.fromEntries(list.map((one, index) => [`${kind}-${index}`, one]))
  const full = { startTime: EARLIER, init: named('init', init), main: named('main', main), stopped: false, ...snapshot }
  return computePodStatus(pod, full, '127.0.0.1', NOW)
}

function condition(status: PodStatus, type: string) {
  return status.conditions?.find((one) => one.type === type)
}

describe('phase', () => {
  it.each<[string, Case, string]>([
    ['nothing has begun', { containers: 1 }, 'Pending'],
    ['an init container runs', { init: [running], containers: 1 }, 'Pending'],
    ['an init container crashes', { init: [crashing], containers: 1 }, 'Pending'],
    ['an init container failed for good', { policy: 'Never', init: [ended(1)], containers: 1 }, 'Failed'],
    ['a container cannot start', { main: [running, waiting] }, 'Pending'],
    ['all run', { main: [running, running] }, 'Running'],
    ['one runs, one ended', { policy: 'Never', main: [running, ended(1)] }, 'Running'],
    ['one waits for its restart', { main: [crashing] }, 'Running'],
    ['one waits for its restart on failure', { policy: 'OnFailure', main: [crashing, ended(0)] }, 'Running'],
    ['all completed', { policy: 'OnFailure', main: [ended(0), ended(0)] }, 'Succeeded'],
    ['one failed for good', { policy: 'Never', main: [ended(0), ended(1)] }, 'Failed'],
    ['deleted, ended with a signal', { main: [ended(143)], snapshot: { stopped: true } }, 'Failed'],
    ['deleted, ended well', { main: [ended(0)], snapshot: { stopped: true } }, 'Succeeded'],
    ['deleted before it began', { containers: 1, snapshot: { stopped: true } }, 'Failed'],
  ])('%s', (_what, given, phase) => {
    expect(compute(given).phase).toBe(phase)
  })
})

describe('conditions', () => {
  it('are all true when all containers are ready', () => {
    const status = compute({ init: [ended(0)], main: [running] })
    expect(status.conditions).toEqual(
      ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True', lastTransitionTime: NOW })),
    )
  })

  it('name what is not ready', () => {
    const status = compute({ init: [running], containers: 2 })
    expect(condition(status, 'Initialized')).toMatchObject({ status: 'False', message: 'containers with incomplete status: [init-0]' })
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', message: 'containers with unready status: [main-0 main-1]' })
    expect(condition(compute({ main: [running, unready] }), 'Ready')?.message).toBe('containers with unready status: [main-1]')
    expect(condition(compute({ policy: 'Never', main: [ended(0)] }), 'Ready')?.reason).toBe('PodCompleted')
  })

  it('keep the time of their transition, and those of others', () => {
    const before: PodStatus = {
      conditions: [
        { type: 'Ready', status: 'False', lastTransitionTime: EARLIER },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: EARLIER },
        { type: 'DisruptionTarget', status: 'True', lastTransitionTime: EARLIER },
      ],
    }
    const status = compute({ main: [running], before })
    expect(condition(status, 'Ready')?.lastTransitionTime).toBe(NOW)
    expect(condition(status, 'PodScheduled')?.lastTransitionTime).toBe(EARLIER)
    expect(condition(status, 'DisruptionTarget')).toEqual({ type: 'DisruptionTarget', status: 'True', lastTransitionTime: EARLIER })
  })
})

describe('container statuses', () => {
  it('show state, restarts and image', () => {
    const [status] = compute({ main: [{ ...crashing, restartCount: 3 }] }).containerStatuses ?? []
    expect(status).toEqual({
      name: 'main-0',
      image: 'image-main',
      imageID: 'image-main',
      containerID: 'process://1',
      ready: false,
      started: false,
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    })
  })

  it('say why nothing has begun', () => {
    const [status] = compute({ containers: 1, snapshot: { problem: 'secret "x" not found' } }).containerStatuses ?? []
    expect(status?.state).toEqual({ waiting: { reason: 'ContainerCreating', message: 'secret "x" not found' } })
    expect(compute({ init: [running], containers: 1 }).containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  })
})
