import { isObject, listAt, type PlainObject, textAt } from './fields.ts'

/** What can be said of an object's progress, with a message for users. */
export interface Progress {
  readonly state: 'current' | 'in-progress' | 'failed' | 'terminating'
  readonly message: string
}

/** A condition, every field a text. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

export function current(message: string): Progress {
  return { state: 'current', message }
}

export function inProgress(message: string): Progress {
  return { state: 'in-progress', message }
}

export function failed(message: string): Progress {
  return { state: 'failed', message }
}

/** `status.conditions` of an object; entries that are no objects are passed over. */
export function conditionsOf(object: PlainObject): Condition[] {
  return listAt(object, 'status', 'conditions').filter(isObject).map(toCondition)
}

/** One condition out of an object of unknown shape. */
export function toCondition(value: PlainObject): Condition {
  return {
    type: textAt(value, 'type'),
    status: textAt(value, 'status'),
    reason: textAt(value, 'reason'),
    message: textAt(value, 'message'),
  }
}
