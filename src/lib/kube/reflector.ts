// Keeps a handler informed of all objects of a kind: a list, then watches from where the list ended, through every kind of failure.
// What the handler was told never goes back in time: a list that replaces what it knows is at least as new.
import { type Clock, sleep } from '../controller/clock.ts'
import { messageOf } from '../controller/errors.ts'
import type { Logger } from '../controller/log.ts'
import { createBackoff } from './backoff.ts'
import type { KubeClient, WatchEvent } from './client.ts'
import { ApiError, ConnectionError, isGone, isTooLargeResourceVersion, UnknownKindError } from './errors.ts'
import { createQuietTimer } from './quiet-timer.ts'
import { isOlderVersion } from './resource-version.ts'
import type { KubeObject, ResourceType } from './types.ts'

/** Is told what there is. Must not throw. */
export interface ReflectorHandler<T extends KubeObject> {
  /** These objects, and no others, exist. */
  replace(objects: T[]): void
  /** One object changed; never a BOOKMARK. */
  apply(event: WatchEvent<T>): void
}

export interface ReflectorOptions<T extends KubeObject> {
  client: KubeClient
  type: ResourceType
  namespace?: string | undefined
  labelSelector?: string | undefined
  fieldSelector?: string | undefined
  metadataOnly?: boolean | undefined
  /** Makes objects smaller before they are handed on. Must not throw. */
  project: (object: T) => T
  handler: ReflectorHandler<T>
  clock: Clock
  log: Logger
  random: () => number
}

/** What to do next: at once, or after a pause. */
interface Step {
  readonly waitMs: number
}

const AT_ONCE: Step = { waitMs: 0 }
/** A list may be long. */
const LIST_TIMEOUT_MS = 120_000
/** Bookmarks come about once a minute; a watch that is silent for longer may be dead. */
const QUIET_MS = 100_000
/** Kinds that nobody touched since the server started get no bookmarks: their silence is believed longer each time, up to the life of a watch. */
const MAX_QUIET_MS = 600_000
/** A watch that lived this long was a good one. */
const HEALTHY_MS = 5_000
/** A server that cannot be reached has no trouble with our asking, and who comes back after a while wants to be up to date soon. */
const UNREACHABLE_MAX_MS = 10_000
/** After so many failures that are no matter of reaching the server, what we know is not worth keeping: list again. */
const FAILURES_BEFORE_LIST = 3
const MIN_TIMEOUT_SECONDS = 240

/** Runs until the signal is aborted; never rejects. Failures are logged once per change of their message and retried for ever. */
export async function runReflector<T extends KubeObject>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<void> {
  const { client, type, handler, project, clock, random } = options
  const { namespace, labelSelector, fieldSelector, metadataOnly } = options
  const selection = { namespace, labelSelector, fieldSelector, metadataOnly }
  const log = options.log.child({ apiVersion: type.apiVersion, kind: type.kind, ...(namespace ? { namespace } : {}) })
  const backoff = createBackoff(random)
  let position: string | undefined // resource version up to which the handler knows everything
  let listed = false // the position can be watched from
  let newest = false // the next list has to be the newest state, not one out of a cache
  let listedAt = -Infinity
  let quietMs = QUIET_MS
  let reported: string | undefined

  async function list(): Promise<Step> {
    // the first list is the newest state, so that a restart does not go back in time either; later ones may come out of a cache that is new enough
    const from = newest || position === undefined ? {} : ({ resourceVersion: position, resourceVersionMatch: 'NotOlderThan' } as const)
    const limits = { signal, timeoutMs: LIST_TIMEOUT_MS }
    const lean = project as unknown as (object: KubeObject) => KubeObject
    const { items, resourceVersion } = await client.list<T>(type, { ...selection, ...from, ...limits, project: lean })
    if (!newest && isOlderVersion(resourceVersion, position)) {
      newest = true
      return AT_ONCE
    }
    position = resourceVersion
    listed = true
    newest = false
    listedAt = clock.now()
    handler.replace(items)
    return AT_ONCE
  }

  async function watch(): Promise<Step> {
    const openedAt = clock.now()
    const quiet = createQuietTimer(clock, quietMs, signal)
    const timeoutSeconds = MIN_TIMEOUT_SECONDS + Math.floor(random() * (MIN_TIMEOUT_SECONDS + 1))
    let events = 0
    try {
      const from = { resourceVersion: position, timeoutSeconds, bookmarks: true, signal: quiet.signal }
      for await (const event of client.watch<T>(type, { ...selection, ...from })) {
        events++
        quiet.reset()
        healthy()
        if (!accept(event)) return AT_ONCE
      }
    } catch (error) {
      if (!quiet.fired || signal.aborted) throw error
      log.debug({ quietMs }, 'watch was silent, connecting again')
      quietMs = events > 0 ? QUIET_MS : Math.min(quietMs * 2, MAX_QUIET_MS)
      return AT_ONCE
    } finally {
      quiet.end()
      if (clock.now() - openedAt >= HEALTHY_MS) {
        backoff.reset()
        reported = undefined // what fails now is worth a line again
      }
    }
    // the server ends watches now and then; one that ends at once and says nothing must not become a busy loop
    return events > 0 || clock.now() - openedAt >= HEALTHY_MS ? AT_ONCE : { waitMs: backoff.next() }
  }

  /** False: the server went back in time (a restored backup), so what we know is void. */
  function accept(event: WatchEvent<T>): boolean {
    const version = event.object.metadata.resourceVersion
    if (event.type === 'BOOKMARK' && isOlderVersion(version, position)) {
      listed = false
      newest = true
      return false
    }
    if (event.type !== 'BOOKMARK') handler.apply({ type: event.type, object: project(event.object) })
    if (version) position = version
    return true
  }

  function failed(error: unknown): Step {
    if (isGone(error) || isTooLargeResourceVersion(error)) {
      const again = clock.now() - listedAt < HEALTHY_MS || !listed
      // the server's cache may lag behind what we know; then only its store can say
      newest = !listed || isTooLargeResourceVersion(error)
      listed = false
      log.debug({ error: messageOf(error) }, 'resource version is not served any more, listing again')
      return again ? { waitMs: backoff.next() } : AT_ONCE
    }
    if (signal.aborted) return AT_ONCE // our own end is no failure
    const isUnreachable = error instanceof ConnectionError && !isPersistent(error)
    const waitMs = isUnreachable ? backoff.next(0, UNREACHABLE_MAX_MS) : backoff.next(error instanceof ApiError ? error.retryAfterMs : 0)
    report(error, waitMs)
    if (backoff.failures >= FAILURES_BEFORE_LIST && isPersistent(error)) listed = false
    return { waitMs }
  }

  function report(error: unknown, waitMs: number): void {
    const message = messageOf(error)
    const fields = { error: message, waitMs: Math.round(waitMs) }
    if (message !== reported) log.warn(fields, listed ? 'cannot watch objects, retrying' : 'cannot list objects, retrying')
    reported = message
  }

  function healthy(): void {
    backoff.reset()
    quietMs = QUIET_MS
    if (reported === undefined) return
    reported = undefined
    log.info({}, 'following objects again')
  }

  while (!signal.aborted) {
    const { waitMs } = await (listed ? watch() : list()).catch(failed)
    if (waitMs > 0) await sleep(clock, waitMs, signal).catch(() => {}) // aborted: the loop ends
  }
}

/** The server was reached and understood, and yet: asking the same again may never work. */
function isPersistent(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.code === 'MALFORMED' || error.code === 'TOO_LARGE'
  if (error instanceof UnknownKindError) return true
  return error instanceof ApiError && ![401, 403, 429, 502, 503, 504].includes(error.status)
}
