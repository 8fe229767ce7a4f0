// Finds releases whose deployment vanished while nobody watched, or that a move left behind (spec 7.9).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { safeConcatName } from '../api/names.ts'
import { type Clock, sleep } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import { isSameRelease, releaseOf } from './deployer.ts'
import type { RevisionRef } from './release/engine.ts'
import type { ReleaseStore } from './release/store.ts'
import type { Removal } from './removal.ts'
import { parseRelease } from './status.ts'

export interface CollectorOptions {
  store: ReleaseStore
  removal: Removal
  /** The deployment of that name in the cache. */
  find(name: string): BundleDeployment | undefined
  /** Asks the hub whether a deployment really is gone. */
  isGone(name: string): Promise<boolean>
  /** Time between two collections in milliseconds; each is lengthened by up to as much again. */
  intervalMs: number
  clock: Clock
  random(): number
  log: Logger
}

export interface Collector {
  /** Nothing is collected before: an agent that knows no deployment at all may look at the wrong hub. */
  start(): void
  /** Collects again and again until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
}

/** What vanished while no agent ran need not wait for a whole interval. */
const FIRST_MS = 60_000

export function createCollector(options: CollectorOptions): Collector {
  const { store, removal, clock, log } = options
  const started = Promise.withResolvers<void>()

  async function collect(signal: AbortSignal): Promise<void> {
    for (const revision of store.newest()) {
      signal.throwIfAborted()
      if (!isExpected(revision)) await removeForgotten(revision, signal)
    }
  }

  /** Whatever is wrong with one release must not keep the others. */
  async function removeForgotten(revision: RevisionRef, signal: AbortSignal): Promise<void> {
    try {
      const owner = await removal.ownOwner(revision)
      if (!owner) return
      const deployment = options.find(owner.bundleId)
      if (deployment && hasMoved(deployment, revision)) await removal.removeRelease(revision, owner, signal)
      if (!deployment && (await options.isGone(owner.bundleId))) await removal.removeDeployment(owner.bundleId, signal)
    } catch (error) {
      log.error({ release: `${revision.namespace}/${revision.name}`, err: error }, 'release that nobody asks for cannot be removed')
    }
  }

  /** The label of a release answers for most of them, without reading anything. */
  function isExpected(revision: RevisionRef): boolean {
    const label = store.label(revision)
    const deployment = label === undefined ? undefined : options.find(label)
    return deployment !== undefined && safeConcatName(deployment.metadata.name) === label && isSameRelease(releaseOf(deployment), revision)
  }

  return {
    start: () => started.resolve(),
    async run(signal) {
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      await Promise.race([started.promise, stopped])
      for (let pause = Math.min(options.intervalMs, FIRST_MS); !signal.aborted; pause = options.intervalMs) {
        await sleep(clock, pause * (1 + options.random()), signal).catch(() => {
          // the only reason is the signal, which ends the loop
        })
        if (!signal.aborted) await collect(signal).catch((error) => log.error({ err: error }, 'collection of forgotten releases failed'))
      }
    },
  }
}

/** The deployment lives on in another release, which is deployed. */
function hasMoved(deployment: BundleDeployment, revision: RevisionRef): boolean {
  const { spec, status } = deployment
  const expected = releaseOf(deployment)
  const current = parseRelease(status?.release)
  const isSettled = status?.appliedDeploymentID === spec.deploymentID && current !== undefined && isSameRelease(current, expected)
  return isSettled && !isSameRelease(expected, revision)
}
