// Keeps one container going: starts it, watches it, starts it again by its policy, ends it.
import type { Clock } from '../../lib/controller/clock.ts'
import { sleep } from '../../lib/controller/clock.ts'
import type { HostProcessExit } from '../host-process.ts'
import type { RestartDelays } from './backoff.ts'
import { countQuickEnds, restartDelay, shouldRestart } from './backoff.ts'
import type { PortMap } from './probe-loop.ts'
import { isSupported, probeLoop } from './probe-loop.ts'
import type { Container, ContainerState, RestartPolicy, TerminatedState } from './types.ts'

/** One run of a container: a program of this host, or nothing at all for images that are not ours. */
export interface Execution {
  /** `process://<pid>` or the like. */
  readonly id: string
  readonly ports: PortMap
  readonly exited: Promise<HostProcessExit>
  kill(signal: NodeJS.Signals): void
  stop(graceMs: number): Promise<unknown>
}

/** What is known about a container at a moment. */
export interface ContainerSnapshot {
  readonly id: string | undefined
  readonly state: ContainerState
  readonly lastState: ContainerState
  readonly restartCount: number
  readonly started: boolean
  readonly ready: boolean
}

export interface SupervisorOptions {
  readonly container: Container
  readonly policy: RestartPolicy
  readonly restartCount: number
  /** Called for every start. @throws when the container cannot be started yet: it is tried again after `retryMs` */
  readonly launch: () => Promise<Execution>
  readonly retryMs: number
  readonly delays: RestartDelays
  readonly clock: Clock
  readonly onChange: () => void
}

export interface Supervisor {
  snapshot(): ContainerSnapshot
  /** Resolves with the exit code of the last run when there will be no other; undefined when it was stopped before it ran. */
  readonly done: Promise<number | undefined>
  /** Sends a signal to what runs; false when nothing does. What follows from it is up to the policy. */
  signal(signal: NodeJS.Signals): boolean
  /** SIGTERM, SIGKILL after the grace, no further start. */
  stop(graceMs: number): Promise<void>
}

const LIVENESS_GRACE_MS = 10_000

/** Starts a container and looks after it until its policy says that it has ended, or `stop` is called. */
export function supervise(options: SupervisorOptions): Supervisor {
  const { container, clock, onChange } = options
  const stopping = new AbortController()
  let execution: Execution | undefined
  let snapshot: ContainerSnapshot = {
    id: undefined,
    state: { waiting: { reason: 'ContainerCreating' } },
    lastState: {},
    restartCount: options.restartCount,
    started: false,
    ready: false,
  }

  function set(change: Partial<ContainerSnapshot>): void {
    snapshot = { ...snapshot, ...change }
    onChange()
  }

  async function launch(): Promise<Execution | undefined> {
    while (!stopping.signal.aborted) {
      try {
        return await options.launch()
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        set({ state: { waiting: { reason: 'CreateContainerConfigError', message } } })
        await pause(options.retryMs)
      }
    }
    return undefined
  }

  // Aborted by stop(): the caller looks at the signal itself.
  async function pause(ms: number): Promise<void> {
    await sleep(clock, ms, stopping.signal).catch(() => undefined)
  }

  async function runOnce(run: Execution): Promise<TerminatedState> {
    execution = run
    const startedAt = timestamp(clock)
    const probes = new AbortController()
    const { readinessProbe, startupProbe } = container
    const started = !isSupported(startupProbe)
    set({ id: run.id, state: { running: { startedAt } }, started, ready: started && !isSupported(readinessProbe) })
    // Stopped while it was being launched: stop() did not know of this run yet.
    if (stopping.signal.aborted) void run.stop(0)
    void startProbes(run, probes.signal)
    const exit = await run.exited
    probes.abort()
    execution = undefined
    const signal = exit.signal === undefined ? {} : { signal: exit.code - 128 }
    return { exitCode: exit.code, ...signal, reason: exit.code === 0 ? 'Completed' : 'Error', startedAt, finishedAt: timestamp(clock) }
  }

  async function startProbes(run: Execution, signal: AbortSignal): Promise<void> {
    const { startupProbe, readinessProbe, livenessProbe } = container
    const restart = () => void run.stop(LIVENESS_GRACE_MS)
    if (isSupported(startupProbe)) {
      const startup = new AbortController()
      const until = AbortSignal.any([signal, startup.signal])
      await probeLoop(startupProbe, container, run.ports, clock, until, (passed) => {
        startup.abort()
        if (!passed) return restart()
        set({ started: true, ready: !isSupported(readinessProbe) })
      })
      if (signal.aborted || !snapshot.started) return
    }
    if (isSupported(readinessProbe)) void probeLoop(readinessProbe, container, run.ports, clock, signal, (ready) => set({ ready }))
    if (isSupported(livenessProbe)) {
      void probeLoop(livenessProbe, container, run.ports, clock, signal, (passed) => {
        if (!passed) restart()
      })
    }
  }

  async function loop(): Promise<number | undefined> {
    let quickEnds = 0
    for (;;) {
      const run = await launch()
      if (run === undefined) return snapshot.state.terminated?.exitCode
      const startedMs = clock.now()
      const terminated = await runOnce(run)
      set({ state: { terminated }, started: false, ready: false })
      if (stopping.signal.aborted || !shouldRestart(options.policy, terminated.exitCode)) return terminated.exitCode
      quickEnds = countQuickEnds(quickEnds, clock.now() - startedMs, options.delays)
      const delayMs = restartDelay(quickEnds, options.delays)
      if (delayMs > 0) {
        const message = `back-off ${Math.round(delayMs / 1000)}s restarting failed container ${container.name}`
        set({ state: { waiting: { reason: 'CrashLoopBackOff', message } }, lastState: { terminated } })
        await pause(delayMs)
      }
      if (stopping.signal.aborted) {
        set({ state: { terminated } })
        return terminated.exitCode
      }
      set({ lastState: { terminated }, restartCount: snapshot.restartCount + 1 })
    }
  }

  const done = loop()
  return {
    snapshot: () => snapshot,
    done,
    signal(signal) {
      execution?.kill(signal)
      return execution !== undefined
    },
    async stop(graceMs) {
      stopping.abort()
      await execution?.stop(graceMs)
      await done
    },
  }
}

/** Time as Kubernetes writes it: whole seconds, UTC. */
export function timestamp(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
}
