// Opens and closes the windows of schedules (spec 5.7). Its keys are namespaces: what a cluster may do follows from all schedules beside it.
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { CLUSTER, CLUSTER_GROUP, SCHEDULE } from '../api/kinds.ts'
import { SCHEDULE_FINALIZER } from '../api/labels.ts'
import type { Schedule } from '../api/schedule.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { messageOf } from '../lib/controller/errors.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import { onNewest } from '../lib/controller/on-newest.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { createStatusWriter, isSame } from '../lib/controller/status.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isNotFound } from '../lib/kube/errors.ts'
import type { InformerEvent, InformerFactory } from '../lib/kube/informer.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { type ClusterFlags, type Decision, decide, type Verdict } from './decide.ts'
import { type Windows, windowsOf } from './window.ts'

export interface ScheduleControllerDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly log: Logger
  readonly clock: Clock
  readonly workers: number
  readonly metrics?: ControllerMetrics | undefined
  /** Our shard; '' is the one that also frees clusters that no schedule knows any more. */
  readonly shard: string
  /** Whether a schedule is of our shard. */
  readonly handles: (object: KubeObject) => boolean
  /** IANA name of the time zone for schedules without a location. */
  readonly localZone: string
  readonly events: EventRecorder
}

const DEBOUNCE_MS = 250
const PARALLEL = 16
/** Nobody waits longer for a window without looking at the clock, which may have been set. */
const LONGEST_WAIT_MS = 600_000
/** Agents write the status of their clusters too. */
const OWNED_OF_SCHEDULE = ['active', 'nextStartTime', 'conditions', 'matchingClusters']
const OWNED_OF_CLUSTER = ['scheduled', 'activeSchedule']

/** Keeps `Schedule.status`, and `scheduled` and `activeSchedule` of the clusters that schedules select. */
export function createScheduleController(deps: ScheduleControllerDeps): Controller {
  const { client, informers, clock, workers, metrics, shard, handles, localZone, events } = deps
  const log = deps.log.child({ controller: 'schedule' })
  const schedules = informers.informer<Schedule>({ type: SCHEDULE })
  const clusters = informers.informer<Cluster>({ type: CLUSTER })
  const groups = informers.informer<ClusterGroup>({ type: CLUSTER_GROUP })
  const statuses = createStatusWriter(client)
  const readSpecs = createSpecReader(localZone, clock)

  async function reconcile(namespace: string): Promise<ReconcileResult | undefined> {
    const all = schedules.list(namespace)
    const ours = all.filter(handles)
    const unheld = ours.filter(({ metadata }) => !metadata.deletionTimestamp && !metadata.finalizers?.includes(SCHEDULE_FINALIZER))
    if (unheld.length > 0) {
      await inParallel(unheld, PARALLEL, hold)
      return undefined // their events lead here again
    }
    const decision = decide(
      { schedules: all.map(statuses.latest), clusters: clusters.list(namespace), groups: groups.list(namespace) },
      readSpecs,
      clock.now(),
    )
    await inParallel(touched(namespace, ours, decision), PARALLEL, (cluster) => flag(cluster, decision.flags.get(cluster.metadata.name)))
    await inParallel(
      decision.verdicts.filter(({ schedule }) => handles(schedule)),
      PARALLEL,
      report,
    )
    await inParallel(
      ours.filter(({ metadata }) => metadata.deletionTimestamp && metadata.finalizers?.includes(SCHEDULE_FINALIZER)),
      PARALLEL,
      release,
    )
    if (decision.until === undefined) return undefined
    return { requeueAfterMs: Math.min(Math.max(decision.until - clock.now(), 1), LONGEST_WAIT_MS) }
  }

  /** The clusters whose flags differ from the decision, as far as they are for us to write. */
  function touched(namespace: string, ours: readonly Schedule[], { flags, verdicts }: Decision): Cluster[] {
    const before = ours.flatMap((schedule) => statuses.latest(schedule).status?.matchingClusters ?? [])
    const after = verdicts.filter(({ schedule }) => handles(schedule)).flatMap(({ status }) => status.matchingClusters ?? [])
    const known = new Set([...before, ...after])
    return clusters.list(namespace).filter((cluster) => {
      const { metadata, status } = statuses.latest(cluster)
      if (metadata.deletionTimestamp || (shard !== '' && !known.has(metadata.name))) return false
      const wanted = flags.get(metadata.name)
      return (
        (status?.scheduled ?? false) !== (wanted?.scheduled ?? false) || (status?.activeSchedule ?? false) !== (wanted?.active ?? false)
      )
    })
  }

  /** After a conflict the flags are written on top of the newest version: they do not depend on it. */
  async function flag(cluster: Cluster, flags: ClusterFlags | undefined): Promise<void> {
    const next = { ...(flags?.scheduled ? { scheduled: true } : {}), ...(flags?.active ? { activeSchedule: true } : {}) }
    await onNewest(client, cluster, (newest) => statuses.write(newest, next, { owned: OWNED_OF_CLUSTER }))
  }

  async function report({ schedule, status, error }: Verdict): Promise<void> {
    const wasActive = schedule.status?.active ?? false
    if (!(await statuses.write(schedule, status, { owned: OWNED_OF_SCHEDULE }))) return
    const fields = { schedule: keyOf(schedule), nextStart: status.nextStartTime, clusters: status.matchingClusters?.length ?? 0 }
    if (error !== undefined) tell(schedule, messageOf(error), fields)
    else if ((status.active ?? false) !== wasActive) log.info(fields, wasActive ? 'window closed' : 'window opened')
  }

  /** Once for each thing that is wrong. */
  function tell(schedule: Schedule, note: string, fields: object): void {
    if (getCondition(schedule.status?.conditions, 'Ready')?.message === note) return
    log.warn({ ...fields, reason: note }, 'schedule cannot be used')
    events.event(schedule, { type: 'Warning', reason: 'ScheduleInvalid', action: 'ReadSchedule', note })
  }

  async function hold(schedule: Schedule): Promise<void> {
    const { resourceVersion, finalizers = [] } = schedule.metadata
    await client.patch(
      refOf(schedule),
      { metadata: { resourceVersion, finalizers: [...finalizers, SCHEDULE_FINALIZER] } },
      { type: 'merge' },
    )
  }

  async function release(schedule: Schedule): Promise<void> {
    const { resourceVersion, finalizers = [] } = statuses.latest(schedule).metadata
    const left = finalizers.filter((finalizer) => finalizer !== SCHEDULE_FINALIZER)
    try {
      await client.patch(refOf(schedule), { metadata: { resourceVersion, finalizers: left } }, { type: 'merge' })
      log.info({ schedule: keyOf(schedule) }, 'schedule deleted')
    } catch (error) {
      if (!isNotFound(error)) throw error // the cache lags
    }
  }

  const controller = createController({ name: 'schedule', workers, reconcile, clock, log, metrics })
  controller.watch(schedules, namespaceOf)
  controller.watch(clusters, (event) => (changes(event, selected) ? namespaceOf(event) : []), { debounceMs: DEBOUNCE_MS })
  controller.watch(groups, (event) => (changes(event, ({ metadata, spec }) => [metadata.labels, spec]) ? namespaceOf(event) : []), {
    debounceMs: DEBOUNCE_MS,
  })
  return controller
}

/** Reads each version of a schedule once. */
function createSpecReader(localZone: string, clock: Clock): (schedule: Schedule) => Windows {
  const read = new WeakMap<object, { windows: Windows } | { error: unknown }>()
  return ({ spec }) => {
    const known = read.get(spec)
    if (known && 'windows' in known) return known.windows
    if (known) throw known.error
    try {
      const windows = windowsOf(spec, clock.now(), localZone)
      read.set(spec, { windows })
      return windows
    } catch (error) {
      read.set(spec, { error })
      throw error
    }
  }
}

/** What decides over the flags of a cluster, and the flags themselves: somebody else may have written them. */
function selected({ metadata, status }: Cluster): unknown[] {
  return [metadata.labels, metadata.deletionTimestamp, status?.scheduled, status?.activeSchedule]
}

function changes<T extends KubeObject>({ type, object, old }: InformerEvent<T>, parts: (object: T) => unknown[]): boolean {
  return type !== 'modified' || !old || !isSame(parts(object), parts(old))
}

function namespaceOf({ object }: InformerEvent<KubeObject>): string[] {
  return object.metadata.namespace ? [object.metadata.namespace] : []
}
