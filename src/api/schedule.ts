// Schedule: times at which clusters may be deployed to.
import { duration, flag, kind, list, object, type Static, text, texts, time } from './schema.ts'
import { clusterTarget } from './selectors.ts'
import { conditions } from './status.ts'

const ScheduleTarget = clusterTarget('Clusters.')
/** Clusters of a schedule. */
export type ScheduleTarget = Static<typeof ScheduleTarget>

const ScheduleSpec = object(
  {
    schedule: text('When deployments start to be allowed: cron with seconds, six or seven fields.'),
    duration: duration('For how long they are allowed.'),
    location: text('IANA time zone; that of the hub if absent.'),
    targets: object({ clusters: list(ScheduleTarget, 'Clusters that the schedule is for.') }, 'What the schedule is for.'),
  },
  'When, and for which clusters.',
  { default: {} },
)
/** When, and for which clusters. */
export type ScheduleSpec = Static<typeof ScheduleSpec>

const ScheduleStatus = object(
  {
    active: flag('Deployments are allowed now.'),
    nextStartTime: time('When they will be allowed next.'),
    conditions,
    matchingClusters: texts('Clusters that the schedule is for.'),
  },
  'State of the schedule.',
)
/** State of the schedule. */
export type ScheduleStatus = Static<typeof ScheduleStatus>

export const Schedule = kind({ spec: ScheduleSpec, status: ScheduleStatus }, 'Times at which clusters may be deployed to.', ['spec'])
/** Times at which clusters may be deployed to. */
export type Schedule = Static<typeof Schedule>
