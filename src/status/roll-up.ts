// The one shape of all status controllers: read from caches, fold (pure), write what differs.

import type { Clock } from '../lib/controller/clock.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer, InformerEvent } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { StatusInformers } from './informers.ts'
import { createPacer, type Pace } from './pacer.ts'

/** What every status controller is made with. */
export interface StatusControllerDeps {
  client: KubeClient
  informers: StatusInformers
  log: Logger
  clock: Clock
  workers: number
  metrics?: ControllerMetrics | undefined
  /** Whether this process writes the status of the object (sharding); default: all. */
  handles?: ((object: KubeObject) => boolean) | undefined
}

/** Events on a key within this time become one reconcile. */
const DEBOUNCE_MS = 250

/** The pace of roll-ups that people watch: at once after a quiet time, a second behind a burst, every three seconds within one. */
export const USUAL_PACE: Pace = { quietMs: 1_000, maxWaitMs: 3_000, idleMs: 5_000 }

/** What a fold says: the fields of the status that are the controller's own, and how long a change must last before it is worth a write. */
export interface Folded {
  status: object
  minAgeMs?: number | undefined
}

export interface RollUp<T extends KubeObject> {
  /** Name of the controller. */
  name: string
  informer: Informer<T>
  /** Top-level fields of the status that it owns. */
  owned: readonly string[]
  pace: Pace
  /** The status by what the caches hold; undefined if there is nothing to say yet. `now` is in milliseconds. */
  fold(object: T, now: number): Folded | undefined
}

/** A roll-up controller, and how other kinds tell it what they change. */
export interface RollUpController {
  controller: Controller
  /** The events of another kind change the objects with these keys. */
  follow<S extends KubeObject>(informer: Informer<S>, toKeys: (event: InformerEvent<S>) => readonly string[]): void
}

/** A controller that writes a roll-up. It follows the objects themselves; add what they are summed up from with `follow`. */
export function createRollUp<T extends KubeObject>(deps: StatusControllerDeps, rollUp: RollUp<T>): RollUpController {
  const { clock, handles = () => true } = deps
  const { informer, owned } = rollUp
  const writer = createStatusWriter(deps.client)
  const pacer = createPacer(clock, rollUp.pace)

  async function reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { name, namespace } = parseKey(key)
    const cached = informer.get(name, namespace)
    if (!cached || cached.metadata.deletionTimestamp || !handles(cached)) {
      pacer.forget(key)
      return undefined
    }
    const early = pacer.waitMs(key)
    if (early > 0) return { requeueAfterMs: early }
    const folded = rollUp.fold(writer.latest(cached), clock.now())
    if (!folded || !writer.differs(cached, folded.status, { owned })) {
      pacer.settle(key, false)
      return undefined
    }
    const wait = pacer.waitMs(key, folded.minAgeMs)
    if (wait > 0) return { requeueAfterMs: wait }
    await writer.write(cached, folded.status, { owned })
    pacer.settle(key, true)
    return undefined
  }

  const { log, workers, metrics } = deps
  const controller = createController({ name: rollUp.name, workers, reconcile, clock, log, metrics })

  function follow<S extends KubeObject>(source: Informer<S>, toKeys: (event: InformerEvent<S>) => readonly string[]): void {
    const touched = (event: InformerEvent<S>): readonly string[] => {
      const keys = toKeys(event)
      keys.forEach(pacer.touch)
      return keys
    }
    controller.watch(source, touched, { debounceMs: DEBOUNCE_MS })
  }

  follow(informer, (event) => [keyOf(event.object)])
  return { controller, follow }
}
