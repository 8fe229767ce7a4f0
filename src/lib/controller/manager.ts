import type { InformerFactory } from '../kube/informer.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Controller } from './controller.ts'
import type { Logger } from './log.ts'
import { type Part, runParts } from './parts.ts'

/** Something that runs beside the controllers, such as a server. Returning before its signal is aborted is allowed, rejecting ends the process. */
export interface Runnable extends Part {
  /** Runs from the start on every replica instead of on the leader only. */
  readonly everywhere?: boolean | undefined
}

export interface ManagerOptions {
  informers: readonly InformerFactory[]
  controllers: readonly Controller[]
  runnables?: readonly Runnable[] | undefined
  /**
   * Waits for the lease, runs `lead` with a signal that is aborted when `signal` is aborted or the lease is lost, waits for its end and gives the lease back.
   * Returning or rejecting before `signal` was aborted is an error of the manager. Without it there is no election.
   */
  leaderElection?: ((lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) => Promise<unknown>) | undefined
  /** Called once the caches are filled, on every replica. */
  onSynced?: (() => void) | undefined
  log: Logger
  clock?: Clock | undefined
  /** How long a part may take to stop; default 5 s, which is more than controllers need by themselves, and leaves a process that ends within 10 s. */
  graceMs?: number | undefined
}

export interface Manager {
  /**
   * Caches first, then the lease, then the controllers. Resolves after an ordered stop (controllers and servers, lease, caches) caused by `signal`;
   * rejects with the first error of any part, a lost lease included, after the same stop.
   */
  run(signal: AbortSignal): Promise<void>
}

/** Runs the parts of a process in order. */
export function createManager(options: ManagerOptions): Manager {
  const { informers, controllers, log, leaderElection, runnables = [] } = options
  const partsOptions = { clock: options.clock ?? systemClock, log, graceMs: options.graceMs ?? 5_000 }

  async function run(signal: AbortSignal): Promise<void> {
    const caches = new AbortController()
    const work: Part = { name: 'controllers', run: (stop) => startAndLead(caches.signal, stop) }
    try {
      // The work stops part by part in bounded time, so it needs more than the grace time of one part.
      await runParts([...runnables.filter((runnable) => runnable.everywhere), work], signal, {
        ...partsOptions,
        graceMs: 2 * partsOptions.graceMs,
      })
    } finally {
      caches.abort(new Error('manager stops'))
      await stopCaches()
    }
    log.info({}, 'stopped')
  }

  async function startAndLead(caches: AbortSignal, stop: AbortSignal): Promise<void> {
    for (const factory of informers) factory.start(caches)
    try {
      await Promise.all(informers.map((factory) => factory.waitSynced(stop)))
    } catch (error) {
      if (!stop.aborted) throw error
    }
    if (stop.aborted) return
    log.info({}, 'caches are filled')
    options.onSynced?.()
    if (!leaderElection) return lead(stop)
    await leaderElection(lead, stop)
    if (!stop.aborted) throw new Error('leadership was lost')
  }

  /** Runs controllers and the leader's runnables until `signal`, which may be that of the lease. */
  function lead(signal: AbortSignal): Promise<void> {
    log.info({ controllers: controllers.map((controller) => controller.name) }, 'starting controllers')
    return runParts([...controllers.map(endless), ...runnables.filter((runnable) => !runnable.everywhere)], signal, partsOptions)
  }

  async function stopCaches(): Promise<void> {
    const stopped: Part = { name: 'caches', run: () => Promise.all(informers.map((factory) => factory.stop())).then(() => {}) }
    await runParts([stopped], AbortSignal.abort(), partsOptions).catch(() => {
      // logged by runParts; nothing else can be done about it on the way out
    })
  }

  return { run }
}

/** A controller that ends without being asked to has crashed. */
function endless(controller: Controller): Part {
  async function run(signal: AbortSignal): Promise<void> {
    await controller.run(signal)
    if (!signal.aborted) throw new Error(`controller ${controller.name} ended without being asked to`)
  }
  return { name: controller.name, run }
}
