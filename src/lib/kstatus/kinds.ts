// The rules of the built-in kinds.
import { isObject, listAt, numberAt, type PlainObject, textAt, valueAt } from './fields.ts'
import { type Condition, current, failed, inProgress, type Progress } from './progress.ts'
import { daemonSet, deployment, replicaSet, statefulSet } from './workloads.ts'

type Rule = (object: PlainObject, conditions: readonly Condition[], nowMs: number) => Progress

/** How long a pod may be unschedulable before that is a failure. */
const SCHEDULE_WINDOW_MS = 15_000

const alwaysReady: Rule = () => current('Resource is always ready')

function service(object: PlainObject): Progress {
  const type = textAt(object, 'spec', 'type')
  if (type === 'LoadBalancer' && !textAt(object, 'spec', 'clusterIP')) return inProgress(`ClusterIP not set. Service type: ${type}`)
  return current('Service is ready')
}

function persistentVolumeClaim(object: PlainObject): Progress {
  const phase = textAt(object, 'status', 'phase') || 'unknown'
  return phase === 'Bound' ? current('PVC is Bound') : inProgress(`PVC is not Bound. phase: ${phase}`)
}

function podDisruptionBudget(): Progress {
  return current('AllowedDisruptions has been computed.')
}

function job(object: PlainObject, conditions: readonly Condition[]): Progress {
  const completions = numberAt(object, 'spec', 'completions') ?? numberAt(object, 'spec', 'parallelism') ?? 1
  const count = (field: string) => numberAt(object, 'status', field) ?? 0
  for (const { type, status } of conditions) {
    if (type === 'Complete' && status === 'True') return current(`Job Completed. succeeded: ${count('succeeded')}/${completions}`)
    if (type === 'Failed' && status === 'True') return failed(`Job Failed. failed: ${count('failed')}/${completions}`)
  }
  if (!textAt(object, 'status', 'startTime')) return inProgress('Job not started')
  return current(`Job in progress. success:${count('succeeded')}, active: ${count('active')}, failed: ${count('failed')}`)
}

function customResourceDefinition(_object: PlainObject, conditions: readonly Condition[]): Progress {
  for (const { type, status, reason, message } of conditions) {
    if (type === 'NamesAccepted' && status === 'False') return failed(message)
    if (type === 'Established' && status === 'False' && reason !== 'Installing') return failed(message)
    if (type === 'Established' && status === 'True') return current('CRD is established')
  }
  return inProgress('Install in progress')
}

function pod(object: PlainObject, conditions: readonly Condition[], nowMs: number): Progress {
  const phase = textAt(object, 'status', 'phase')
  if (phase === 'Succeeded') return current('Pod has completed successfully')
  if (phase === 'Failed') return current('Pod has completed, but not successfully')
  if (phase === 'Running') return runningPod(object, conditions)
  if (phase !== 'Pending') return inProgress(phase ? `Pod phase is ${phase}` : 'Pod phase not available')
  const unschedulable = conditions.some(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  )
  if (!unschedulable) return inProgress('Pod is in the Pending phase')
  const created = Date.parse(textAt(object, 'metadata', 'creationTimestamp'))
  return nowMs - created < SCHEDULE_WINDOW_MS ? inProgress('Pod has not been scheduled') : failed('Pod could not be scheduled')
}

function runningPod(object: PlainObject, conditions: readonly Condition[]): Progress {
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return current('Pod is Ready')
  const crashing = listAt(object, 'status', 'containerStatuses')
    .filter(isObject)
    .filter((container) => valueAt(container, 'state', 'waiting', 'reason') === 'CrashLoopBackOff')
    .map((container) => textAt(container, 'name'))
  if (crashing.length > 0) return failed(`Containers in CrashLoop state: ${crashing.join(',')}`)
  return inProgress('Pod is running but is not Ready')
}

/** `group/Kind` → its rule. */
export const KIND_RULES: Readonly<Record<string, Rule>> = {
  ConfigMap: alwaysReady,
  PersistentVolumeClaim: persistentVolumeClaim,
  Pod: pod,
  Secret: alwaysReady,
  Service: service,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinition,
  'apps/DaemonSet': daemonSet,
  'apps/Deployment': deployment,
  'apps/ReplicaSet': replicaSet,
  'apps/StatefulSet': statefulSet,
  'batch/CronJob': alwaysReady,
  'batch/Job': job,
  'extensions/DaemonSet': daemonSet,
  'extensions/Deployment': deployment,
  'extensions/ReplicaSet': replicaSet,
  'policy/PodDisruptionBudget': podDisruptionBudget,
}
