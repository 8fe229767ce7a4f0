// Whether a live object is ready, and in which words it says that it is not (spec 7.6, Summarize).

import { isObject, listAt, objectAt, type PlainObject, textAt, valueAt } from '../../lib/kstatus/fields.ts'
import { progressOf } from '../../lib/kstatus/kstatus.ts'
import { type Condition, conditionsOf, toCondition } from '../../lib/kstatus/progress.ts'
import {
  ERROR_CONDITIONS,
  type ErrorConditions,
  FALSE_IS_ERROR,
  FALSE_IS_TRANSITIONING,
  TRUE_IS_TRANSITIONING,
  USES_REASON,
} from './condition-tables.ts'

const TRUE_WORDS: readonly string[] = ['true', 't', 'yes', 'y']

/** The summary of one object. `state` is lower-case; messages are trimmed, unique and not empty. */
export interface ObjectSummary {
  readonly state: string
  readonly error: boolean
  readonly transitioning: boolean
  readonly message: readonly string[]
}

interface Draft {
  state: string
  error: boolean
  transitioning: boolean
  message: string[]
}

/** Conditions that do not count: an entry matches when each of its keys equals the field of the condition. */
export type IgnoredConditions = readonly Readonly<Record<string, string>>[]

export interface SummaryOptions {
  readonly nowMs: number
  readonly ignore?: IgnoredConditions | undefined
  /** conditions that mean an error, by `apiVersion, Kind=X`-like keys; the built-in ones by default */
  readonly errors?: ErrorConditions | undefined
}

/** Summarizes an object (spec 7.6, section 12 for the order). */
export function summarize(live: PlainObject, { nowMs, ignore, errors = ERROR_CONDITIONS }: SummaryOptions): ObjectSummary {
  const object = ignore?.length ? withoutConditions(live, ignore) : live
  const conditions = allConditions(object)
  const draft: Draft = { state: '', error: false, transitioning: false, message: [] }
  readOwnSummary(object, draft)
  readErrors(object, conditions, draft, errors)
  readTransitions(conditions, draft)
  if (draft.state === '') draft.state = activeState(object)
  readPhase(object, draft)
  const progress = progressOf(object, nowMs)
  if (draft.state === '' && progress)
    draft.state = { current: 'active', 'in-progress': 'in-progress', failed: 'failed', terminating: 'removing' }[progress.state]
  const loadBalancer = waitsForLoadBalancer(object, draft)
  if (progress) {
    draft.message.push(withoutRepeats(progress.message))
    draft.transitioning ||= progress.state === 'in-progress' || progress.state === 'terminating'
    draft.error ||= progress.state === 'failed'
  }
  if (loadBalancer) {
    draft.state = 'pending'
    draft.transitioning = true
    draft.message.push('Load balancer is being provisioned')
  }
  return { ...draft, state: (draft.state || 'active').toLowerCase(), message: unique(draft.message) }
}

/** An object is ready when it is neither in error nor on its way. */
export function isReady(summary: ObjectSummary): boolean {
  return !summary.error && !summary.transitioning
}

function withoutConditions(object: PlainObject, ignore: IgnoredConditions): PlainObject {
  const status = objectAt(object, 'status')
  if (!status || !Array.isArray(status.conditions)) return object
  const kept = status.conditions.filter(
    (condition) => !ignore.some((entry) => Object.entries(entry).every(([key, value]) => valueAt(condition, key) === value)),
  )
  return { ...object, status: { ...status, conditions: kept } }
}

/** Conditions of the status, then those that Rancher keeps in an annotation. */
function allConditions(object: PlainObject): Condition[] {
  const text = textAt(object, 'metadata', 'annotations', 'cattle.io/status')
  if (!text) return conditionsOf(object)
  try {
    return [...conditionsOf(object), ...listAt(JSON.parse(text), 'conditions').filter(isObject).map(toCondition)]
  } catch {
    // an annotation that is no JSON says nothing
    return conditionsOf(object)
  }
}

function readOwnSummary(object: PlainObject, draft: Draft): void {
  const [display, summary] = [objectAt(object, 'status', 'display'), objectAt(object, 'status', 'summary')]
  const own = display && Object.keys(display).length > 0 ? display : summary
  if (!own) return
  if ('state' in own) draft.state = textAt(own, 'state')
  if ('transitioning' in own) draft.transitioning = isTrue(own.transitioning)
  if ('error' in own) draft.error = isTrue(own.error)
  if ('message' in own) draft.message.push(textAt(own, 'message'))
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && TRUE_WORDS.includes(value.trim().toLowerCase()))
}

function readErrors(object: PlainObject, conditions: readonly Condition[], draft: Draft, errors: ErrorConditions): void {
  const table = errors.byKind[`${String(object.apiVersion)}/${String(object.kind)}`] ?? errors.fallback
  for (const { type, status, reason, message } of conditions) {
    if (reason !== 'Error' && !table[type]?.includes(status)) continue
    draft.error = true
    draft.message.push(message)
    if (draft.state === 'active' || draft.state === '') draft.state = 'error'
  }
}

function readTransitions(conditions: readonly Condition[], draft: Draft): void {
  for (const { type, status, message } of conditions) {
    const state = FALSE_IS_ERROR[type]
    if (!state) continue
    if (status === 'False') Object.assign(draft, { error: true, state, message: [...draft.message, message] })
    else if (status === 'Unknown' && draft.state === '')
      Object.assign(draft, { transitioning: true, state, message: [...draft.message, message] })
  }
  const going = conditions.find(({ type, status }) => TRUE_IS_TRANSITIONING[type] && status === 'True')
  if (draft.state === '' && going)
    Object.assign(draft, {
      transitioning: true,
      state: TRUE_IS_TRANSITIONING[going.type] ?? '',
      message: [...draft.message, going.message],
    })
  readFalseConditions(conditions, draft)
}

/** Ready=False is the least telling of these conditions: it counts only when no other one does. */
function readFalseConditions(conditions: readonly Condition[], draft: Draft): void {
  let notReady: Condition | undefined
  for (const condition of conditions) {
    if (draft.state !== '') break
    const { type, status, message, reason } = condition
    const state = FALSE_IS_TRANSITIONING[type]
    if (!state) continue
    if (type === 'Ready' && status === 'False') {
      notReady = condition
    } else if (status === 'False' || status === 'Unknown') {
      draft.state = state === USES_REASON ? reason : state
      draft.message.push(message)
      if (status === 'False') draft.transitioning = true
      else draft.error = true
    }
  }
  if (draft.state !== '' || !notReady) return
  draft.state = FALSE_IS_TRANSITIONING.Ready ?? ''
  draft.transitioning = true
  draft.message.push(notReady.message)
}

function activeState(object: PlainObject): string {
  const active = valueAt(object, 'spec', 'active')
  if (active === undefined || active === null) return ''
  return { true: 'active', false: 'inactive' }[String(active)] ?? ''
}

function readPhase(object: PlainObject, draft: Draft): void {
  const phase = textAt(object, 'status', 'phase')
  if (phase === 'Succeeded' || phase === 'Bound') {
    draft.state = phase
    draft.transitioning = false
  } else if (draft.state === '') {
    draft.state = phase
  }
}

function waitsForLoadBalancer(object: PlainObject, draft: Draft): boolean {
  if (draft.state !== 'active' && draft.state !== '') return false
  if (object.kind !== 'Service') return false
  const types = [textAt(object, 'spec', 'type'), textAt(object, 'spec', 'serviceKind')]
  return types.includes('LoadBalancer') && listAt(object, 'status', 'loadBalancer', 'ingress').length === 0
}

/** Messages joined by `; ` say each part once. */
function withoutRepeats(message: string): string {
  return [...new Set(message.split('; '))].join('; ')
}

function unique(messages: readonly string[]): string[] {
  return [...new Set(messages.map((message) => message.trim()))].filter((message) => message !== '')
}
