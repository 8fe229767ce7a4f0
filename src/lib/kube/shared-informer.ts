// One cache: a reflector fills the store, subscribers are told.
import type { Clock } from '../controller/clock.ts'
import { messageOf } from '../controller/errors.ts'
import type { Logger } from '../controller/log.ts'
import type { KubeClient, WatchEvent } from './client.ts'
import type { Informer, InformerEvent, InformerOptions } from './informer.ts'
import { createObjectStore, type IndexFunction } from './object-store.ts'
import { runReflector } from './reflector.ts'
import type { KubeObject } from './types.ts'

/** An informer with what only its factory does with it. */
export interface RunnableInformer<T extends KubeObject> extends Informer<T> {
  /** Throws when another function has a name already. */
  addIndexes(indexes: Readonly<Record<string, IndexFunction<T>>>): void
  /** Follows the API server until the signal is aborted; never rejects. */
  run(signal: AbortSignal): Promise<void>
}

export interface InformerParts {
  clock: Clock
  log: Logger
  random: () => number
}

type Handler<T> = (event: InformerEvent<T>) => void

/** An informer that is not running yet. */
export function createInformer<T extends KubeObject>(
  client: KubeClient,
  options: InformerOptions<T>,
  parts: InformerParts,
): RunnableInformer<T> {
  const { type, namespace, labelSelector, fieldSelector, metadataOnly } = options
  const { clock, random } = parts
  const log = parts.log.child({ kind: type.kind })
  const store = createObjectStore<T>()
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => {}) // whoever waits hears of it
  const known = new Map<string, IndexFunction<T>>()
  let handlers: readonly Handler<T>[] = []
  let synced = false

  function project(object: T): T {
    if (!options.project) return object
    try {
      return options.project(object)
    } catch (error) {
      log.error(
        { name: object.metadata.name, namespace: object.metadata.namespace, error: messageOf(error) },
        'object could not be made smaller for the cache',
      )
      return object
    }
  }

  /** An index function that fails puts the object nowhere instead of ending the cache. */
  function guarded(name: string, values: IndexFunction<T>): IndexFunction<T> {
    return (object) => {
      try {
        return values(object)
      } catch (error) {
        log.error(
          { index: name, name: object.metadata.name, namespace: object.metadata.namespace, error: messageOf(error) },
          'object could not be indexed',
        )
        return []
      }
    }
  }

  function call(handler: Handler<T>, event: InformerEvent<T>): void {
    try {
      handler(event)
    } catch (error) {
      const { name, namespace: objectNamespace } = event.object.metadata
      log.error({ name, namespace: objectNamespace, event: event.type, error: messageOf(error) }, 'event handler failed')
    }
  }

  function deliver(events: readonly InformerEvent<T>[]): void {
    for (const event of events) {
      for (const handler of handlers) call(handler, event)
    }
  }

  function apply({ type: change, object }: WatchEvent<T>): void {
    if (change === 'BOOKMARK') return
    deliver(change === 'DELETED' ? store.remove(object) : store.put(object))
  }

  function replace(objects: T[]): void {
    const events = store.replace(objects)
    synced = true
    deliver(events)
    first.resolve()
  }

  const informer: RunnableInformer<T> = {
    get synced() {
      return synced
    },
    get: store.get,
    list: store.list,
    by: store.by,
    subscribe(handler) {
      // a function of its own, so that the same handler can be there twice
      const subscriber: Handler<T> = (event) => handler(event)
      handlers = [...handlers, subscriber]
      for (const object of store.list()) call(subscriber, { type: 'added', object })
      return () => {
        handlers = handlers.filter((other) => other !== subscriber)
      }
    },
    waitSynced: (signal) => untilAborted(first.promise, signal),
    addIndexes(indexes) {
      for (const [name, values] of Object.entries(indexes)) {
        if (known.get(name) === values) continue
        if (known.has(name)) throw new Error(`the cache of ${type.kind} already has another index "${name}"`)
        known.set(name, values)
        store.addIndex(name, guarded(name, values))
      }
    },
    async run(signal) {
      const selection = { type, namespace, labelSelector, fieldSelector, metadataOnly }
      await runReflector<T>({ client, ...selection, project, handler: { replace, apply }, clock, random, log: parts.log }, signal)
      first.reject(new Error(`the cache of ${type.kind} was stopped before it was filled`))
    },
  }
  informer.addIndexes(options.indexes ?? {})
  return informer
}

function untilAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
