// One pod of this node from its first to its last moment: volumes, init containers in order, containers, the end.
import type { Clock } from '../../lib/controller/clock.ts'
import { sleep } from '../../lib/controller/clock.ts'
import type { Logger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { RestartDelays } from './backoff.ts'
import type { LaunchContext } from './launch.ts'
import { launchContainer, pretendContainer, programOf } from './launch.ts'
import { removePodFiles, writeVolumes } from './pod-folder.ts'
import { keepToken, writeToken } from './service-account-tokens.ts'
import type { PodSnapshot } from './status.ts'
import type { Supervisor } from './supervisor.ts'
import { supervise, timestamp } from './supervisor.ts'
import type { Container, Pod, RestartPolicy } from './types.ts'
import { referencedSources } from './volumes.ts'

export interface WorkerOptions extends LaunchContext {
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Logger
  readonly delays: RestartDelays
  /** How soon something that could not begin is tried again, unless it changes before. */
  readonly retryMs: number
  /** Called when the snapshot may have changed. */
  readonly onChange: () => void
}

export interface PodWorker {
  readonly uid: string
  /** `ConfigMap/name` and `Secret/name` of the pod's namespace that its volumes show. */
  readonly references: ReadonlySet<string>
  snapshot(): PodSnapshot
  /** True when everything has ended after `stop` and the files are gone. */
  readonly stopped: boolean
  /** Writes the volumes again; called when one of its references changed. */
  refresh(): void
  /** Sends a signal to the running container of that name; false when there is none. */
  signal(container: string, signal: NodeJS.Signals): boolean
  /** Ends the containers within the grace; another call with a shorter one has no effect. Never rejects. */
  stop(graceMs: number): Promise<void>
}

/** Begins with a pod that was bound to this node. */
export function startWorker(options: WorkerOptions): PodWorker {
  const { pod, clock, log, folder } = options
  const policy = pod.spec.restartPolicy ?? 'Always'
  const inits = pod.spec.initContainers ?? []
  const isOurs = [...inits, ...pod.spec.containers].some((container) => programOf(options, container) !== undefined)
  const startTime = pod.status?.startTime ?? timestamp(clock)
  const stopping = new AbortController()
  const init = new Map<string, Supervisor>()
  const main = new Map<string, Supervisor>()
  let problem: string | undefined
  let stopped = false
  let stopCall: Promise<void> | undefined
  let wake = () => {}
  let writing = Promise.resolve()

  async function prepare(): Promise<boolean> {
    while (!stopping.signal.aborted) {
      try {
        const { tokens } = await writeVolumes(folder, pod, options.node, options.sources)
        const renewals: (() => Promise<void>)[] = []
        for (const { folder, file } of tokens) {
          const firstMs = await writeToken(options.client, clock, pod, folder, file)
          renewals.push(() => keepToken(options.client, clock, pod, folder, file, firstMs, log, stopping.signal))
        }
        for (const renew of renewals) void renew()
        problem = undefined
        return true
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error)
        log.debug({ problem }, 'pod cannot begin yet')
        options.onChange()
        await pauseUntilChange()
      }
    }
    return false
  }

  async function pauseUntilChange(): Promise<void> {
    const woken = new AbortController()
    wake = () => woken.abort()
    // Ends early when something changed or the pod is stopped; both are looked at by the caller.
    await sleep(clock, options.retryMs, AbortSignal.any([woken.signal, stopping.signal])).catch(() => undefined)
  }

  function start(container: Container, restartPolicy: RestartPolicy, isInit: boolean): Supervisor {
    const former = (isInit ? pod.status?.initContainerStatuses : pod.status?.containerStatuses)?.find(({ name }) => name === container.name)
    const completes = isInit || policy !== 'Always'
    const ours = programOf(options, container) !== undefined
    const supervisor = supervise({
      container: ours ? container : { name: container.name },
      policy: restartPolicy,
      // A container that was there before this node was started again is started once more.
      restartCount: former?.containerID === undefined ? 0 : former.restartCount + 1,
      launch: () => (ours ? launchContainer(options, container) : Promise.resolve(pretendContainer(completes))),
      retryMs: options.retryMs,
      delays: options.delays,
      clock,
      onChange: options.onChange,
    })
    ;(isInit ? init : main).set(container.name, supervisor)
    return supervisor
  }

  async function live(): Promise<void> {
    if (isOurs && !(await prepare())) return
    for (const container of inits) {
      if (stopping.signal.aborted) return
      const code = await start(container, policy === 'Never' ? 'Never' : 'OnFailure', true).done
      if (code !== 0) return
    }
    if (stopping.signal.aborted) return
    await Promise.all(pod.spec.containers.map((container) => start(container, policy, false).done))
  }

  async function end(graceMs: number): Promise<void> {
    stopping.abort()
    const running = [...init.values(), ...main.values()]
    await Promise.all(running.map((supervisor) => supervisor.stop(graceMs)))
    await life
    await writing
    if (isOurs) await removePodFiles(folder)
    stopped = true
    options.onChange()
  }

  const life = live()
  return {
    uid: pod.metadata.uid ?? '',
    references: isOurs ? referencedSources(pod) : new Set(),
    snapshot() {
      const states = (map: Map<string, Supervisor>) =>
        Object.fromEntries([...map].map(([name, supervisor]) => [name, supervisor.snapshot()]))
      return { startTime, init: states(init), main: states(main), stopped, ...(problem === undefined ? {} : { problem }) }
    },
    get stopped() {
      return stopped
    },
    refresh() {
      wake()
      if (init.size === 0 && main.size === 0) return
      // One after the other: two writers in one folder would remove each other's files.
      writing = writing.then(() => rewriteVolumes(options)).catch((error: unknown) => log.warn({ error }, 'volumes not refreshed'))
    },
    signal: (container, signal) => main.get(container)?.signal(signal) ?? false,
    stop(graceMs) {
      stopCall ??= end(graceMs).catch((error: unknown) => log.error({ error }, 'pod not ended cleanly'))
      return stopCall
    },
  }
}

async function rewriteVolumes({ folder, pod, node, sources, log }: WorkerOptions): Promise<void> {
  const { changed } = await writeVolumes(folder, pod, node, sources)
  if (changed) log.info({}, 'volumes refreshed')
}

/** Seconds that a pod is given to end, in milliseconds. */
export function graceOf(pod: Pod): number {
  return (pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30) * 1000
}
