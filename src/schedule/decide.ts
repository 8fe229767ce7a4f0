// What the schedules of one namespace mean at a time: for themselves, and for its clusters.
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import type { Schedule, ScheduleStatus } from '../api/schedule.ts'
import { errorCondition, formatTime, removeCondition, setCondition } from '../lib/controller/conditions.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { compileTargets, type Member, membersOf, refersToGroups } from './selection.ts'
import { type Windows, windowAt } from './window.ts'

export interface Workspace {
  readonly schedules: readonly Schedule[]
  readonly clusters: readonly Cluster[]
  readonly groups: readonly ClusterGroup[]
}

/** The two flags of `Cluster.status`: it belongs to a schedule, and one of its schedules is open. */
export interface ClusterFlags {
  readonly scheduled: boolean
  readonly active: boolean
}

export interface Verdict {
  readonly schedule: Schedule
  readonly status: ScheduleStatus
  /** Undefined if the spec can be used. */
  readonly error: unknown
}

export interface Decision {
  /** One for each schedule that is not being deleted. */
  readonly verdicts: readonly Verdict[]
  /** By name; a cluster that is not in it belongs to no schedule. */
  readonly flags: ReadonlyMap<string, ClusterFlags>
  /** When, in milliseconds since 1970, this is not true any more although nobody changed anything; undefined: never. */
  readonly until: number | undefined
}

/** Decides about a namespace. `windowsOf` gives the windows of a schedule or throws what is wrong with its spec. */
export function decide(workspace: Workspace, windowsOf: (schedule: Schedule) => Windows, now: number): Decision {
  const standing = workspace.schedules.filter(({ metadata }) => !metadata.deletionTimestamp)
  const needsGroups = standing.some(({ spec }) => refersToGroups(spec?.targets?.clusters))
  const members = standing.length > 0 ? membersOf(workspace.clusters, needsGroups ? workspace.groups : []) : []
  const flags = new Map<string, ClusterFlags>()
  const ends: number[] = []
  const verdicts = standing.map((schedule) => {
    const { active, until, clusters, ...verdict } = judge(schedule, members, windowsOf, now)
    if (until !== undefined) ends.push(until)
    for (const name of clusters) flags.set(name, { scheduled: true, active: active || flags.get(name)?.active === true })
    return verdict
  })
  return { verdicts, flags, until: ends.length > 0 ? Math.min(...ends) : undefined }
}

interface Judgement extends Verdict {
  readonly active: boolean
  readonly clusters: readonly string[]
  readonly until: number | undefined
}

function judge(schedule: Schedule, members: readonly Member[], windowsOf: (schedule: Schedule) => Windows, now: number): Judgement {
  const { spec, status } = schedule
  try {
    const window = windowAt(windowsOf(schedule), now)
    if (!window.active && window.nextStart === undefined) throw neverAgain(schedule)
    const clusters = namesOf(members.filter(compileTargets(spec?.targets?.clusters)))
    const conditions = removeCondition(status?.conditions, 'Ready')
    return { schedule, ...window, clusters, error: undefined, status: statusOf({ conditions, clusters, ...window }) }
  } catch (error) {
    // Nobody knows what the author meant: clusters that were held are held on, no others, and no window is open.
    const held = new Set(status?.matchingClusters)
    const clusters = namesOf(members.filter(({ cluster }) => held.has(cluster.metadata.name)))
    const conditions = setCondition(status?.conditions, errorCondition('Ready', error), now)
    return { schedule, active: false, until: undefined, clusters, error, status: statusOf({ conditions, clusters }) }
  }
}

function neverAgain({ spec }: Schedule): TerminalError {
  const text = JSON.stringify(spec?.schedule ?? '')
  return new TerminalError(`schedule ${text} names no time that is still to come: change it, or delete it to free its clusters`)
}

function namesOf(members: readonly Member[]): string[] {
  return members.map(({ cluster }) => cluster.metadata.name).sort()
}

interface StatusParts {
  readonly conditions: NonNullable<ScheduleStatus['conditions']>
  readonly clusters: string[]
  readonly active?: boolean
  readonly nextStart?: number | undefined
}

/** Fields that are false or empty are left out, as upstream does. */
function statusOf({ conditions, clusters, active, nextStart }: StatusParts): ScheduleStatus {
  return {
    ...(active ? { active } : {}),
    ...(nextStart === undefined ? {} : { nextStartTime: formatTime(nextStart) }),
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(clusters.length > 0 ? { matchingClusters: clusters } : {}),
  }
}
