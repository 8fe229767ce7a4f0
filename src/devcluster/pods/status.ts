// The status of a pod from what its containers do, by the kubelet's rules. Pure.
import type { ContainerSnapshot } from './supervisor.ts'
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus, RestartPolicy } from './types.ts'

/** What a pod's containers do at a moment; without an entry a container has not begun. */
export interface PodSnapshot {
  readonly startTime: string
  readonly init: Readonly<Record<string, ContainerSnapshot>>
  readonly main: Readonly<Record<string, ContainerSnapshot>>
  /** Why nothing could begin yet, for example a missing Secret. */
  readonly problem?: string
  /** All has ended because the pod is being deleted. */
  readonly stopped: boolean
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

const OWN_CONDITIONS = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready']

/**
 * The whole status. Conditions that somebody else set are kept, and so is the time of transition of those whose status stays.
 * @param ip address of the host, which the pod shares
 * @param now RFC 3339
 */
export function computePodStatus(pod: Pod, snapshot: PodSnapshot, ip: string, now: string): PodStatus {
  const { spec } = pod
  const initContainerStatuses = (spec.initContainers ?? []).map((container) =>
    containerStatus(container, snapshot.init[container.name], snapshot, true),
  )
  const containerStatuses = spec.containers.map((container) => containerStatus(container, snapshot.main[container.name], snapshot, false))
  const phase = podPhase(spec.restartPolicy ?? 'Always', initContainerStatuses, containerStatuses, snapshot.stopped)
  return {
    phase,
    conditions: podConditions(pod, phase, initContainerStatuses, containerStatuses, now),
    hostIP: ip,
    podIP: ip,
    startTime: snapshot.startTime,
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
    containerStatuses,
  }
}

function containerStatus(container: Container, run: ContainerSnapshot | undefined, pod: PodSnapshot, init: boolean): ContainerStatus {
  const reason = Object.keys(pod.init).length > 0 && !init ? 'PodInitializing' : 'ContainerCreating'
  const waiting = { waiting: { reason, ...(pod.problem === undefined ? {} : { message: pod.problem }) } }
  const image = container.image ?? ''
  return {
    name: container.name,
    image,
    imageID: image,
    ...(run?.id === undefined ? {} : { containerID: run.id }),
    ready: init ? run?.state.terminated?.exitCode === 0 : (run?.ready ?? false),
    started: run?.started ?? false,
    restartCount: run?.restartCount ?? 0,
    state: run?.state ?? waiting,
    lastState: run?.lastState ?? {},
  }
}

function podPhase(policy: RestartPolicy, init: readonly ContainerStatus[], main: readonly ContainerStatus[], stopped: boolean): Phase {
  const exitCodes = main.map(lastExitCode)
  if (stopped) return exitCodes.every((code) => code === 0) ? 'Succeeded' : 'Failed'
  if (policy === 'Never' && init.some((status) => (status.state.terminated?.exitCode ?? 0) !== 0)) return 'Failed'
  if (init.some((status) => status.state.terminated?.exitCode !== 0)) return 'Pending'
  if (main.some((status) => status.state.running === undefined && lastExitCode(status) === undefined)) return 'Pending'
  if (main.some((status) => status.state.running !== undefined) || policy === 'Always') return 'Running'
  if (exitCodes.every((code) => code === 0)) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}

// A container that waits for its restart counts as ended.
function lastExitCode({ state, lastState }: ContainerStatus): number | undefined {
  if (state.running !== undefined) return undefined
  return (state.terminated ?? lastState.terminated)?.exitCode
}

function podConditions(
  pod: Pod,
  phase: Phase,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  now: string,
): PodCondition[] {
  const before = pod.status?.conditions ?? []
  const unready = main.filter(({ ready }) => !ready).map(({ name }) => name)
  const uninitialized = init.filter(({ ready }) => !ready).map(({ name }) => name)
  const ready = readyCondition(phase, unready)
  const conditions = [
    { type: 'PodScheduled', status: 'True' as const },
    uninitialized.length === 0
      ? { type: 'Initialized', status: 'True' as const }
      : { type: 'Initialized', status: 'False' as const, reason: 'ContainersNotInitialized', message: listOf('incomplete', uninitialized) },
    { type: 'ContainersReady', ...ready },
    { type: 'Ready', ...ready },
  ]
  const foreign = before.filter(({ type }) => !OWN_CONDITIONS.includes(type))
  return [...conditions.map((condition) => withTransition(condition, before, now)), ...foreign]
}

function readyCondition(phase: Phase, unready: readonly string[]): Omit<PodCondition, 'type'> {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  if (unready.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ContainersNotReady', message: listOf('unready', unready) }
}

function listOf(what: string, names: readonly string[]): string {
  return `containers with ${what} status: [${names.join(' ')}]`
}

function withTransition(condition: PodCondition, before: readonly PodCondition[], now: string): PodCondition {
  const former = before.find(({ type }) => type === condition.type)
  const lastTransitionTime = former?.status === condition.status ? (former.lastTransitionTime ?? now) : now
  return { ...condition, lastTransitionTime }
}
