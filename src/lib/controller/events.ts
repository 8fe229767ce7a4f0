// Events of group events.k8s.io/v1. They are a courtesy to the user: recording one never throws, never waits, and never floods the API server.

import type { KubeClient } from '../kube/client.ts'
import { refOf } from '../kube/paths.ts'
import type { KubeObject, ObjectRef } from '../kube/types.ts'
import type { Clock } from './clock.ts'
import { keyOf } from './keys.ts'
import type { Logger } from './log.ts'
import { createTokenBuckets } from './token-buckets.ts'

export interface EventInput {
  type: 'Normal' | 'Warning'
  /** CamelCase, why it happened; at most 128 characters. */
  reason: string
  /** CamelCase, what was tried; at most 128 characters. */
  action: string
  /** A sentence for the user; cut after 1 kB. */
  note: string
}

export interface EventRecorder {
  event(object: KubeObject, input: EventInput): void
}

export interface EventRecorderOptions {
  /** Reporting controller, such as `fleet-gitops`. */
  component: string
  /** Reporting instance, such as the name of the pod; default: the component. */
  instance?: string | undefined
  clock: Clock
  log: Logger
}

/** The same event within this time is a series of one object. */
const SERIES_MS = 6 * 60_000
/** A series that goes on is written again after this time. */
const SERIES_WRITE_MS = 5 * 60_000
/** Known series; the oldest are forgotten beyond. */
const MAX_SERIES = 4_096
/** Requests under way; events beyond are dropped. */
const MAX_IN_FLIGHT = 32
/** A burst of this many requests for an object, then one each `REFILL_MS`. */
const BURST = 25
const REFILL_MS = 60_000
const MAX_NOTE_BYTES = 1_024

interface Series {
  ref: ObjectRef
  count: number
  lastSeen: number
  lastWritten: number
  /** The answer to the create. */
  created: Promise<unknown>
}

/** Creates events; repeated ones become a series of one object, and each object may have only so many. After a failed request a series starts anew. */
export function createEventRecorder(client: KubeClient, options: EventRecorderOptions): EventRecorder {
  const { component, clock, log } = options
  const instance = (options.instance ?? component).slice(0, 128)
  const known = new Map<string, Series>()
  const buckets = createTokenBuckets({ clock, burst: BURST, refillMs: REFILL_MS, maxKeys: MAX_SERIES })
  let inFlight = 0

  function event(object: KubeObject, input: EventInput): void {
    const now = clock.now()
    const id = JSON.stringify([object.metadata.uid ?? '', object.kind, keyOf(object), input.type, input.reason, input.action, input.note])
    const series = known.get(id)
    known.delete(id)
    if (series && now - series.lastSeen <= SERIES_MS) repeat(id, object, series, now)
    else begin(id, object, input, now)
  }

  function begin(id: string, object: KubeObject, input: EventInput, now: number): void {
    const body = newEvent(object, input, now)
    const created = send(id, object, () => client.create(body))
    if (created) remember(id, { ref: refOf(body), count: 1, lastSeen: now, lastWritten: now, created })
  }

  function repeat(id: string, object: KubeObject, series: Series, now: number): void {
    const next = { ...series, count: series.count + 1, lastSeen: now }
    const due = series.count === 1 || now - series.lastWritten >= SERIES_WRITE_MS
    if (!due) {
      remember(id, next)
      return
    }
    const patch = { series: { count: next.count, lastObservedTime: microTime(now) } }
    const written = send(id, object, () => series.created.then((made) => made && client.patch(series.ref, patch, { type: 'merge' })))
    if (written) remember(id, { ...next, lastWritten: now, created: written })
  }

  function remember(id: string, series: Series): void {
    known.set(id, series)
    if (known.size <= MAX_SERIES) return
    const oldest = known.keys().next().value
    if (oldest !== undefined) known.delete(oldest)
  }

  /** The answer; undefined if the request failed; no promise if the event is dropped. */
  function send(id: string, object: KubeObject, request: () => Promise<unknown>): Promise<unknown> | undefined {
    const about = { object: `${object.kind} ${keyOf(object)}` }
    if (inFlight >= MAX_IN_FLIGHT || !buckets.take(object.metadata.uid ?? about.object)) {
      log.debug(about, 'event dropped, too many of them')
      return undefined
    }
    inFlight++
    return request()
      .catch((error: unknown) => {
        known.delete(id)
        log.debug({ ...about, err: error }, 'event could not be recorded')
      })
      .finally(() => {
        inFlight--
      })
  }

  function newEvent(object: KubeObject, input: EventInput, now: number): KubeObject & Record<string, unknown> {
    const { name, namespace, uid, resourceVersion } = object.metadata
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: eventName(name, now), namespace: namespace ?? 'default' },
      eventTime: microTime(now),
      reportingController: component,
      reportingInstance: instance,
      type: input.type,
      reason: input.reason.slice(0, 128),
      action: input.action.slice(0, 128),
      note: cutBytes(input.note, MAX_NOTE_BYTES),
      regarding: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        ...(namespace ? { namespace } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
      },
    }
  }

  let serial = 0
  /** Unique within this process by the serial, between processes by the time. */
  function eventName(name: string, now: number): string {
    serial = (serial + 1) % 4_096
    return `${name.slice(0, 200).replace(/[.-]+$/, '')}.${(now * 4_096 + serial).toString(16)}`
  }

  return { event }
}

function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`
}

function cutBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text
  const bytes = Buffer.from(text).subarray(0, limit - 3)
  // A character cut in two decodes to the replacement character, which is taken off.
  return `${new TextDecoder().decode(bytes).replace(/\uFFFD+$/u, '')}…`
}
