// Shared caches of objects that follow the API server.
import { type Clock, systemClock } from '../controller/clock.ts'
import type { Logger } from '../controller/log.ts'
import type { KubeClient } from './client.ts'
import { createInformer, type RunnableInformer } from './shared-informer.ts'
import type { KubeObject, ResourceType } from './types.ts'

/** A change in a cache. `old` is what was there before a modification. */
export interface InformerEvent<T> {
  type: 'added' | 'modified' | 'deleted'
  object: T
  old?: T
}

export interface InformerOptions<T> {
  type: ResourceType
  /** Without it: all namespaces. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Only `metadata` is asked for. */
  metadataOnly?: boolean
  /** Makes objects smaller before they are cached; keeps `metadata.name`, `namespace`, `uid` and `resourceVersion`. */
  project?: (object: T) => T
  /** Named functions from an object to the values it is found under. Must not throw. */
  indexes?: Record<string, (object: T) => readonly string[]>
}

/** A cache of one kind. Its objects are never to be changed: others read them too. */
export interface Informer<T extends KubeObject> {
  /** The first list has arrived. */
  readonly synced: boolean
  get(name: string, namespace?: string): T | undefined
  /** Of one namespace, or all. */
  list(namespace?: string): readonly T[]
  /** Those that an index puts under this value. */
  by(index: string, value: string): readonly T[]
  /**
   * Calls `handler` with each change from now on, after the cache has it, and at once with each present object as `added`. Handlers only take notes (enqueue keys);
   * what they throw is logged. The returned function ends it.
   */
  subscribe(handler: (event: InformerEvent<T>) => void): () => void
  /** Resolves after the first list; rejects when the signal is aborted or the factory stops before. */
  waitSynced(signal?: AbortSignal): Promise<void>
}

export interface InformerFactory {
  /** The cache for these options: the same one for the same options (`project` being the same function); indexes are added to it. */
  informer<T extends KubeObject>(options: InformerOptions<T>): Informer<T>
  /** Starts all caches, and those that are asked for later at once. Ends with the signal or `stop`. */
  start(signal: AbortSignal): void
  /** Resolves when all caches asked for so far are synced. */
  waitSynced(signal?: AbortSignal): Promise<void>
  /** Ends all watches. The caches keep what they have. */
  stop(): Promise<void>
}

export interface InformerFactoryOptions {
  clock?: Clock
  log: Logger
  /** A number in [0, 1), for jitter. */
  random?: () => number
}

/**
 * Caches over one client. Nothing is asked for before `start`.
 *
 *     const factory = createInformerFactory(client, { log })
 *     const pods = factory.informer<Pod>({ type: POD, indexes: { node: (pod) => [pod.spec.nodeName] } })
 *     factory.start(signal)
 *     await factory.waitSynced(signal)
 *     pods.by('node', 'node-1')
 */
export function createInformerFactory(client: KubeClient, options: InformerFactoryOptions): InformerFactory {
  const { clock = systemClock, log, random = Math.random } = options
  const informers = new Map<string, RunnableInformer<KubeObject>>()
  const projections = new Map<unknown, number>()
  const running: Promise<void>[] = []
  const stopping = new AbortController()
  let started = false
  let unlink = (): void => {}

  function keyOf<T>({ type, namespace, labelSelector, fieldSelector, metadataOnly, project }: InformerOptions<T>): string {
    const projection = projections.get(project) ?? projections.size
    projections.set(project, projection)
    return JSON.stringify([type.apiVersion, type.kind, namespace, labelSelector, fieldSelector, metadataOnly === true, projection])
  }

  function run(informer: RunnableInformer<KubeObject>): void {
    running.push(informer.run(stopping.signal))
  }

  return {
    informer<T extends KubeObject>(informerOptions: InformerOptions<T>) {
      const key = keyOf(informerOptions)
      const known = informers.get(key) as RunnableInformer<T> | undefined
      if (known) {
        known.addIndexes(informerOptions.indexes ?? {})
        return known
      }
      const created = createInformer(client, informerOptions, { clock, log, random })
      informers.set(key, created as unknown as RunnableInformer<KubeObject>)
      if (started) run(created as unknown as RunnableInformer<KubeObject>)
      return created
    },
    start(signal) {
      if (started) return
      started = true
      const stop = (): void => stopping.abort(signal.reason)
      if (signal.aborted) stop()
      signal.addEventListener('abort', stop, { once: true })
      unlink = () => signal.removeEventListener('abort', stop)
      informers.forEach(run)
    },
    async waitSynced(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.waitSynced(signal)))
    },
    async stop() {
      unlink()
      stopping.abort(new Error('informers stopped'))
      await Promise.all(running)
    },
  }
}
