// How far an object has got, judged by the conventions of the Kubernetes API (generation, standard conditions) and by rules per built-in kind.
// The rules and messages follow the kstatus library of SIG CLI, whose words users know from other tools.
import { isObject, numberAt, objectAt, type PlainObject, textAt, valueAt } from './fields.ts'
import { KIND_RULES } from './kinds.ts'
import { type Condition, conditionsOf, current, failed, inProgress, type Progress } from './progress.ts'

const STATUSES: readonly string[] = ['True', 'False', 'Unknown']
const CONDITION_TEXTS = ['type', 'status', 'reason', 'message'] as const

/**
 * The progress of an object, or undefined when its status has a form that cannot be judged (an observedGeneration that is no integer, conditions
 * with a status that is no text).
 * `nowMs` decides how long a pod may stay unscheduled.
 */
export function progressOf(object: PlainObject, nowMs: number): Progress | undefined {
  const early = terminating(object) ?? behind(object)
  if (early) return early
  if (!isReadable(object)) return undefined
  const conditions = conditionsOf(object)
  return (
    byStandardConditions(conditions) ??
    KIND_RULES[groupKind(object)]?.(object, conditions, nowMs) ??
    byReadyCondition(conditions) ??
    current('Resource is current')
  )
}

/** Whether generation and conditions have the types that the conventions give them. */
function isReadable(object: PlainObject): boolean {
  const observed = objectAt(object, 'status')?.observedGeneration
  const hasGeneration = numberAt(object, 'metadata', 'generation') !== undefined
  if (hasGeneration && observed !== undefined && !Number.isInteger(observed)) return false
  const conditions = valueAt(object, 'status', 'conditions') ?? []
  return Array.isArray(conditions) && conditions.every(isReadableCondition)
}

function isReadableCondition(condition: unknown): boolean {
  return isObject(condition) && CONDITION_TEXTS.every((field) => typeof (condition[field] ?? '') === 'string')
}

/** `group/Kind` without the version; `Kind` alone in the core group. */
function groupKind(object: PlainObject): string {
  const [group, version] = String(object.apiVersion ?? '').split('/')
  return version ? `${group}/${String(object.kind)}` : String(object.kind)
}

function terminating(object: PlainObject): Progress | undefined {
  if (!textAt(object, 'metadata', 'deletionTimestamp')) return undefined
  return { state: 'terminating', message: 'Resource scheduled for deletion' }
}

function behind(object: PlainObject): Progress | undefined {
  const generation = numberAt(object, 'metadata', 'generation')
  const observed = numberAt(object, 'status', 'observedGeneration')
  if (generation === undefined || !Number.isInteger(observed) || generation === observed) return undefined
  return inProgress(`${String(object.kind)} generation is ${generation}, but latest observed generation is ${observed}`)
}

function byStandardConditions(conditions: readonly Condition[]): Progress | undefined {
  for (const { type, status, message } of conditions) {
    if (type === 'Reconciling' && status === 'True') return inProgress(message)
    if (type === 'Stalled' && status === 'True') return failed(message)
  }
  return undefined
}

function byReadyCondition(conditions: readonly Condition[]): Progress | undefined {
  const ready = conditions.find(({ type, status }) => type === 'Ready' && STATUSES.includes(status))
  if (!ready) return undefined
  return ready.status === 'True' ? current('Resource is Ready') : inProgress(ready.message)
}
