// One metadata watch per kind that is deployed, shared by all deployments and ended when the last of them is gone.
import { SET_HASH_LABEL } from '../../api/labels.ts'
import type { Clock } from '../../lib/controller/clock.ts'
import type { Logger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { createInformerFactory, type Informer, type InformerFactory } from '../../lib/kube/informer.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { kindKey } from './live-objects.ts'

const BY_SET = 'set-hash'

interface KindWatch {
  readonly factory: InformerFactory
  readonly informer: Informer<KubeObject>
  readonly abort: AbortController
  readonly users: Set<string>
}

export interface KindWatches {
  /** Declares which kinds a user needs; kinds that nobody needs any more are watched no longer. */
  require(user: string, types: readonly ResourceType[]): void
  /** Resolves when the caches of all these kinds are filled; rejects when `signal` aborts. */
  synced(types: readonly ResourceType[], signal: AbortSignal): Promise<void>
  /** Metadata of an object that carries a set label, or undefined. */
  find(type: ResourceType, name: string, namespace: string | undefined): KubeObject | undefined
  /** Metadata of all objects of a set. */
  ofSet(type: ResourceType, setHash: string): readonly KubeObject[]
  stop(): Promise<void>
}

interface WatchOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Logger
  /** an object of this set appeared, changed or went */
  readonly onChange: (setHash: string) => void
}

export function createKindWatches({ client, clock, log, onChange }: WatchOptions): KindWatches {
  const watches = new Map<string, KindWatch>()

  function open(type: ResourceType): KindWatch {
    const abort = new AbortController()
    const factory = createInformerFactory(client, { clock, log })
    const informer = factory.informer<KubeObject>({
      type,
      labelSelector: SET_HASH_LABEL,
      metadataOnly: true,
      indexes: { [BY_SET]: (object) => [hashOf(object)] },
    })
    informer.subscribe(({ object, old }) => {
      onChange(hashOf(object))
      if (old && hashOf(old) !== hashOf(object)) onChange(hashOf(old))
    })
    factory.start(abort.signal)
    return { factory, informer, abort, users: new Set() }
  }

  async function close(key: string, watch: KindWatch): Promise<void> {
    watches.delete(key)
    watch.abort.abort()
    await watch.factory.stop()
  }

  return {
    require(user, types) {
      const wanted = new Set(types.map(kindKey))
      for (const type of types) {
        const watch = watches.get(kindKey(type)) ?? open(type)
        watches.set(kindKey(type), watch)
        watch.users.add(user)
      }
      for (const [key, watch] of watches) {
        if (!wanted.has(key)) watch.users.delete(user)
        if (watch.users.size === 0)
          close(key, watch).catch((error: unknown) => log.warn({ kind: key, error: String(error) }, 'watch did not end cleanly'))
      }
    },
    async synced(types, signal) {
      await Promise.all(types.map((type) => watches.get(kindKey(type))?.informer.waitSynced(signal)))
    },
    find: (type, name, namespace) => watches.get(kindKey(type))?.informer.get(name, namespace),
    ofSet: (type, setHash) => watches.get(kindKey(type))?.informer.by(BY_SET, setHash) ?? [],
    async stop() {
      await Promise.all([...watches].map(([key, watch]) => close(key, watch)))
    },
  }
}

function hashOf(object: KubeObject): string {
  return object.metadata.labels?.[SET_HASH_LABEL] ?? ''
}
