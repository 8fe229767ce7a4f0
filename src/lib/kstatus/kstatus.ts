// How far an object has got, judged by the conventions of the Kubernetes API (generation, standard conditions) and by rules per built-in kind.
// The rules and messages follow the kstatus library of SIG CLI, whose words users know from other tools.
import { numberAt, objectAt, type PlainObject, textAt } from './fields.ts'
import { KIND_RULES } from './kinds.ts'
import { type Condition, conditionsOf, current, failed, inProgress, type Progress } from './progress.ts'

/**
 * The progress of an object, or undefined when its status has a form that cannot be judged (an observedGeneration that is no number).
 * `nowMs` decides how long a pod may stay unscheduled.
 */
export function progressOf(object: PlainObject, nowMs: number): Progress | undefined {
  const observed = objectAt(object, 'status')?.observedGeneration
  if (observed !== undefined && typeof observed !== 'number') return undefined
  const conditions = conditionsOf(object)
  return (
    generic(object, conditions) ??
    KIND_RULES[groupKind(object)]?.(object, conditions, nowMs) ??
    byReadyCondition(conditions) ??
    current('Resource is current')
  )
}

/** `group/Kind` without the version; `Kind` alone in the core group. */
function groupKind(object: PlainObject): string {
  const [group, version] = String(object.apiVersion ?? '').split('/')
  return version ? `${group}/${String(object.kind)}` : String(object.kind)
}

function generic(object: PlainObject, conditions: readonly Condition[]): Progress | undefined {
  if (textAt(object, 'metadata', 'deletionTimestamp')) return { state: 'terminating', message: 'Resource scheduled for deletion' }
  const generation = numberAt(object, 'metadata', 'generation')
  const observed = numberAt(object, 'status', 'observedGeneration')
  if (generation !== undefined && observed !== undefined && generation !== observed) {
    return inProgress(`${String(object.kind)} generation is ${generation}, but latest observed generation is ${observed}`)
  }
  for (const { type, status, message } of conditions) {
    if (type === 'Reconciling' && status === 'True') return inProgress(message)
    if (type === 'Stalled' && status === 'True') return failed(message)
  }
  return undefined
}

function byReadyCondition(conditions: readonly Condition[]): Progress | undefined {
  const ready = conditions.find((condition) => condition.type === 'Ready')
  if (!ready) return undefined
  return ready.status === 'True' ? current('Resource is Ready') : inProgress(ready.message)
}
