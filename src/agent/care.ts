// Looks after what is deployed: how it is, whether changes are to be undone, what is left over (spec 7.1 steps 8 to 11, 7.8).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { Outcome } from './attempt.ts'
import type { Corrector } from './correct.ts'
import { lacksLabels, orphansToDelete, overwrittenObject, restoration } from './decide.ts'
import { isStop, stableMessage } from './failures.ts'
import type { LiveState } from './monitor/types.ts'
import type { Orphans } from './orphans.ts'
import type { Revision, RevisionRef } from './release/engine.ts'
import { deployed, notCorrected, notMonitored, observed, parseRelease, type Status } from './status.ts'
import type { Tracking } from './tracking.ts'

export interface CareOptions {
  tracking: Tracking
  corrector: Corrector
  orphans: Orphans
  clock: Clock
  log: Logger
}

export interface Care {
  /** Continues from an attempt: the status with what live objects look like. */
  lookAfter(key: string, deployment: BundleDeployment, attempt: Outcome, signal: AbortSignal): Promise<Outcome>
}

/** When an object that is missing, or a record of a release, is looked for again. */
const RETRY_MS = 5_000

export function createCare({ tracking, corrector, orphans, clock, log }: CareOptions): Care {
  async function lookAfter(key: string, deployment: BundleDeployment, attempt: Outcome, signal: AbortSignal): Promise<Outcome> {
    const { status } = attempt
    const release = parseRelease(status.release)
    if (!release || status.appliedDeploymentID !== deployment.spec.deploymentID || lacksLabels(status)) return attempt
    try {
      const live = await look(key, deployment, release)
      if (!live) return { ...attempt, requeueAfterMs: RETRY_MS } // its record vanished this moment: the next look deploys again
      const outcome = { ...attempt, status: observedIn(deployment, status, live) }
      return await correct(key, deployment, outcome, { release, live }, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (isStop(error)) return { ...attempt, error }
      return { ...attempt, status: notMonitored(status, new Error(stableMessage(error)), clock.now()), error }
    }
  }

  /** What is left over goes first where that is wanted. */
  async function look(key: string, deployment: BundleDeployment, release: RevisionRef): Promise<LiveState | undefined> {
    const live = await tracking.look(key, deployment, release)
    const isCleared = live !== undefined && (await orphans.remove(deployment, orphansToDelete(deployment, live)))
    return isCleared ? tracking.look(key, deployment, release) : live
  }

  async function correct(
    key: string,
    deployment: BundleDeployment,
    outcome: Outcome,
    found: { release: RevisionRef; live: LiveState },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const restored = await corrector.correct(key, deployment, found.release, found.live, signal).catch((error) => {
      signal.throwIfAborted()
      if (isStop(error)) throw error
      log.warn({ bundle: deployment.metadata.name, err: error }, 'drift could not be corrected')
      return undefined
    })
    if (restored) return corrected(key, deployment, outcome, restored)
    const refusal = corrector.lastError(key)
    if (!refusal) return overwrite(deployment, outcome, found.live, signal)
    const status = notCorrected(outcome.status, new Error(stableMessage(refusal)), clock.now())
    return { ...outcome, status, requeueAfterMs: corrector.retryInMs(key) }
  }

  async function corrected(key: string, deployment: BundleDeployment, outcome: Outcome, restored: Revision): Promise<Outcome> {
    log.info({ bundle: deployment.metadata.name, version: restored.version }, 'drift corrected')
    tracking.deployed(key, restored)
    const status = deployed(outcome.status, outcome.status.appliedDeploymentID ?? '', restored, clock.now())
    const live = await tracking.look(key, deployment, restored)
    return { ...outcome, status: live ? observedIn(deployment, status, live) : status }
  }

  /** An object that another bundle took with it comes back by installing the release anew. */
  async function overwrite(deployment: BundleDeployment, outcome: Outcome, live: LiveState, signal: AbortSignal): Promise<Outcome> {
    const missing = overwrittenObject(deployment, live)
    if (missing === 'before') await orphans.reinstall(deployment, signal)
    return missing || restoration(deployment, live) === 'soon' ? { ...outcome, requeueAfterMs: RETRY_MS } : outcome
  }

  function observedIn(deployment: BundleDeployment, status: Status, live: LiveState): Status {
    return observed(status, live, deployment.spec.options?.forceSyncGeneration ?? 0, clock.now())
  }

  return { lookAfter }
}
