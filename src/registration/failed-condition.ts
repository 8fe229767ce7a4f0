import { type ConditionUpdate, errorCondition } from '../lib/controller/conditions.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { isConflict } from '../lib/kube/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'

/** Who waits longer than this is told for what: usually all is there within a second. */
const SAY_AFTER_MS = 10_000

/**
 * What an error makes of a condition: False, Unknown for what is waited for, and undefined while it is too early to speak of that, and for an object that
 * somebody else changed meanwhile: it is looked at again at once. `now` is in milliseconds.
 */
export function failedCondition(type: string, { metadata }: KubeObject, error: unknown, now: number): ConditionUpdate | undefined {
  if (isConflict(error)) return undefined
  if (!(error instanceof WaitingError)) return errorCondition(type, error)
  if (now - Date.parse(metadata.creationTimestamp ?? '') < SAY_AFTER_MS) return undefined
  return { ...errorCondition(type, error), status: 'Unknown' }
}
