// A cache lags behind our own writes for some milliseconds. Here they are remembered until the cache has them, so that nothing is written twice
// or on top of an old version.
import type { Clock } from '../lib/controller/clock.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Informer } from '../lib/kube/informer.ts'
import { isOlderVersion } from '../lib/kube/resource-version.ts'
import type { KubeObject } from '../lib/kube/types.ts'

/** A cache, with our own writes on top of it. */
export interface Newest<T extends KubeObject> {
  get(name: string, namespace?: string): T | undefined
  /** The newest version of an object of the cache. */
  of(cached: T): T
  /** The answer to a create, update or patch. */
  wrote(object: T): void
  /** The object was deleted at this version: it is on its way out, or gone. */
  deleted(object: T): void
  /** Objects that we made and the cache does not have yet. */
  unseen(): T[]
}

interface Entry<T> {
  readonly object: T
  readonly until: number
}

/** The cache will have caught up by then, or has missed that the object is gone again. */
const FORGET_AFTER_MS = 30_000

/** Follows the cache for as long as it runs. */
export function createNewest<T extends KubeObject>(informer: Informer<T>, clock: Clock): Newest<T> {
  const entries = new Map<string, Entry<T>>()
  informer.subscribe(({ type, object }) => {
    const entry = entries.get(keyOf(object))
    if (!entry) return
    const isGone = type === 'deleted' && object.metadata.uid === entry.object.metadata.uid
    if (isGone || (type !== 'deleted' && !isBehind(object, entry.object))) entries.delete(keyOf(object))
  })

  function newest(key: string, cached: T | undefined): T | undefined {
    const entry = entries.get(key)
    if (!entry) return cached
    if (entry.until > clock.now() && (!cached || isBehind(cached, entry.object))) return entry.object
    entries.delete(key)
    return cached
  }

  function wrote(object: T): void {
    const cached = informer.get(object.metadata.name, object.metadata.namespace)
    if (cached && !isBehind(cached, object)) entries.delete(keyOf(object))
    else entries.set(keyOf(object), { object, until: clock.now() + FORGET_AFTER_MS })
  }

  return {
    get: (name, namespace) => newest(keyOf({ namespace, name }), informer.get(name, namespace)),
    of: (cached) => newest(keyOf(cached), cached) ?? cached,
    wrote,
    deleted(object) {
      if (informer.get(object.metadata.name, object.metadata.namespace)?.metadata.uid !== object.metadata.uid) entries.delete(keyOf(object))
      else wrote({ ...object, metadata: { ...object.metadata, deletionTimestamp: new Date(clock.now()).toISOString() } })
    },
    unseen() {
      const hidden = [...entries.values()]
        .map(({ object }) => object)
        .filter(({ metadata }) => !informer.get(metadata.name, metadata.namespace))
      return hidden.filter((object) => newest(keyOf(object), undefined) !== undefined)
    },
  }
}

/** A version that is marked as deleted keeps its number: the cache is behind until it says so too. */
function isBehind(cached: KubeObject, written: KubeObject): boolean {
  if (isOlderVersion(cached.metadata.resourceVersion, written.metadata.resourceVersion)) return true
  const isSame = cached.metadata.resourceVersion === written.metadata.resourceVersion
  return isSame && written.metadata.deletionTimestamp !== undefined && cached.metadata.deletionTimestamp === undefined
}
