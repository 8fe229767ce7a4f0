import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../testing/fake-clock.ts'
import type { HostProcessExit } from '../host-process.ts'
import type { SupervisorOptions } from './supervisor.ts'
import { supervise } from './supervisor.ts'

function setup(overrides: Partial<SupervisorOptions> = {}) {
  const clock = createFakeClock()
  const runs: { exit(code: number): void; stops: number[] }[] = []
  const supervisor = supervise({
    container: { name: 'main' },
    policy: 'Always',
    restartCount: 0,
    retryMs: 1000,
    delays: { baseMs: 10_000, maxMs: 300_000 },
    clock,
    onChange: () => {},
    launch() {
      const end = Promise.withResolvers<HostProcessExit>()
      const run = { exit: (code: number) => end.resolve({ code }), stops: [] as number[] }
      runs.push(run)
      const stop = async (graceMs: number) => {
        run.stops.push(graceMs)
        end.resolve({ code: 143, signal: 'SIGTERM' })
      }
      return Promise.resolve({
        id: `process://${runs.length}`,
        ports: {},
        exited: end.promise,
        stop,
        kill: () => end.resolve({ code: 137, signal: 'SIGKILL' }),
      })
    },
    ...overrides,
  })
  async function exit(code: number): Promise<void> {
    runs.at(-1)?.exit(code)
    await clock.advance(0)
  }
  return { clock, runs, supervisor, exit }
}

describe('supervise', () => {
  it('runs, and is ready without a probe', async () => {
    const { clock, supervisor } = setup()
    await clock.advance(0)
    expect(supervisor.snapshot()).toEqual({
      id: 'process://1',
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      lastState: {},
      restartCount: 0,
      started: true,
      ready: true,
    })
  })

  it('starts again at once after the first end, then backs off', async () => {
    const { clock, runs, supervisor, exit } = setup()
    await clock.advance(0)
    await exit(1)
    expect(runs).toHaveLength(2)
    expect(supervisor.snapshot()).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 1, reason: 'Error' } } })
    await exit(0)
    expect(supervisor.snapshot()).toMatchObject({
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container main' } },
      lastState: { terminated: { exitCode: 0, reason: 'Completed' } },
    })
    await clock.advance(9999)
    expect(runs).toHaveLength(2)
    await clock.advance(1)
    expect(runs).toHaveLength(3)
    expect(supervisor.snapshot()).toMatchObject({ restartCount: 2, ready: true })
  })

  it('ends with its exit code when the policy says so', async () => {
    const { clock, supervisor, exit } = setup({ policy: 'OnFailure' })
    await clock.advance(0)
    await exit(2)
    await exit(0)
    expect(await supervisor.done).toBe(0)
    expect(supervisor.snapshot()).toMatchObject({ restartCount: 1, ready: false, state: { terminated: { exitCode: 0 } } })
  })

  it('says why it cannot start and tries again', async () => {
    let missing = true
    const { clock, supervisor } = setup({
      async launch() {
        if (missing) throw new Error('secret "x" not found')
        return { id: 'x', ports: {}, exited: new Promise(() => {}), stop: async () => {}, kill: () => {} }
      },
    })
    await clock.advance(0)
    expect(supervisor.snapshot().state).toEqual({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } })
    missing = false
    await clock.advance(1000)
    expect(supervisor.snapshot().state.running).toBeDefined()
  })

  it('is stopped with its grace and not started again', async () => {
    const { clock, runs, supervisor } = setup()
    await clock.advance(0)
    await supervisor.stop(5000)
    expect(runs.map(({ stops }) => stops)).toEqual([[5000]])
    expect(supervisor.snapshot().state.terminated).toMatchObject({ exitCode: 143, signal: 15 })
    await clock.advance(600_000)
    expect(runs).toHaveLength(1)
  })

  it('passes a signal on and starts again after it', async () => {
    const { clock, runs, supervisor } = setup()
    await clock.advance(0)
    expect(supervisor.signal('SIGKILL')).toBe(true)
    await clock.advance(0)
    expect(runs).toHaveLength(2)
    expect(supervisor.snapshot()).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137, signal: 9 } } })
    await supervisor.stop(0)
    expect(supervisor.signal('SIGKILL')).toBe(false)
  })

  it('is stopped while it waits for its restart', async () => {
    const { clock, runs, supervisor, exit } = setup()
    await clock.advance(0)
    await exit(1)
    await exit(1)
    await supervisor.stop(5000)
    expect(supervisor.snapshot().state.terminated?.exitCode).toBe(1)
    expect(runs).toHaveLength(2)
  })

  it('is not ready before its probes pass', async () => {
    const { clock, supervisor } = setup({
      container: { name: 'main', readinessProbe: { tcpSocket: { port: 1 }, initialDelaySeconds: 60 } },
    })
    await clock.advance(0)
    expect(supervisor.snapshot()).toMatchObject({ started: true, ready: false })
    await supervisor.stop(0)
  })
})
