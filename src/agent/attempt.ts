// One attempt to bring about the version that a deployment asks for, and what a failure means for its status (spec 7.1 step 6 and error classes).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { Logger } from '../lib/controller/log.ts'
import { WAITING_FOR_CHART_SECRET } from './chart-download.ts'
import { decide, tellsOfFailure } from './decide.ts'
import { type Deployer, releaseOf } from './deployer.ts'
import { failureClass, stableMessage } from './failures.ts'
import { WAITING_FOR_REGISTRY } from './oci-contents.ts'
import type { Revision } from './release/engine.ts'
import type { ReleaseStore } from './release/store.ts'
import { deployed, failedForGood, namespaceRefused, notDeployed, parseRelease, type Status } from './status.ts'
import type { Tracking } from './tracking.ts'

/** The status that comes of a step, and what there is to do after it was reported. */
export interface Outcome {
  readonly status: Status
  readonly error?: unknown
  readonly requeueAfterMs?: number | undefined
}

export interface AttemptsOptions {
  deployer: Deployer
  store: ReleaseStore
  tracking: Tracking
  clock: Clock
  log: Logger
}

export interface Attempts {
  /** Deploys the version that is asked for, unless it is deployed. Rejects only when the signal is aborted. */
  bringAbout(key: string, deployment: BundleDeployment, signal: AbortSignal): Promise<Outcome>
  /** Somebody changed the deployment: what it keeps outside of its release is looked at again with the next attempt. */
  touched(key: string): void
  /** Another version is asked for: whoever waits for objects of the one before need not go on. */
  overtake(key: string): void
  /** The hub knows what came of the last attempt. */
  reported(key: string): void
  /** The deployment is gone or left alone. */
  forget(key: string): void
}

const NAMESPACE_RETRY_MS = 120_000
/** A secret that the hub writes along with the deployment may come a little later; only a longer wait is worth reporting. */
const BRIEF_WAITS: readonly string[] = ['WaitingForValues', WAITING_FOR_REGISTRY, WAITING_FOR_CHART_SECRET]
const UNREPORTED_WAIT_MS = 10_000
const LONG_WAIT_MS = 15_000

export function createAttempts({ deployer, store, tracking, clock, log }: AttemptsOptions): Attempts {
  const known = new Set<string>() // keys of which the hub knows what this process made of them
  const waitingSince = new Map<string, number>()
  const touched = new Set<string>()
  const slow = new Map<string, AbortController>() // attempts that wait for objects to become ready

  async function bringAbout(key: string, deployment: BundleDeployment, signal: AbortSignal): Promise<Outcome> {
    const overtaken = new AbortController()
    const isTouched = touched.delete(key)
    if (waitsForObjects(deployment)) slow.set(key, overtaken)
    try {
      return await attempt(key, deployment, isTouched, AbortSignal.any([signal, overtaken.signal]))
    } catch (error) {
      signal.throwIfAborted()
      if (isTouched) touched.add(key)
      if (overtaken.signal.aborted) return { status: deployment.status ?? {} } // the event that overtook us has queued the key again
      return failed(key, deployment, error)
    } finally {
      slow.delete(key)
    }
  }

  async function attempt(key: string, deployment: BundleDeployment, isTouched: boolean, signal: AbortSignal): Promise<Outcome> {
    const { deploymentID = '', downstreamResourcesGeneration: generation } = deployment.spec
    const before = deployment.status ?? {}
    const release = parseRelease(before.release)
    const decision = decide(deployment, release === undefined || (await store.exists(release)), isTouched)
    const isDue = decision === 'deploy' || (decision === 'copy' && (await deployer.copy(deployment)))
    const isCurrent = (before.downstreamResourcesGeneration ?? 0) === (generation ?? 0)
    const status = isCurrent ? before : ({ ...before, downstreamResourcesGeneration: generation } as Status)
    if (!isDue) return { status: await withLabels(deployment, status, isTouched) }
    const start = clock.now()
    const isNewVersion = before.appliedDeploymentID !== deploymentID
    const revision = await deployer.deploy(deployment, { resume: isNewVersion && !known.has(key), signal })
    known.delete(key)
    waitingSince.delete(key)
    tracking.deployed(key, revision)
    logDeployed(deployment, revision, clock.now() - start)
    return { status: deployed(status, deploymentID, revision, clock.now()) }
  }

  function logDeployed({ metadata }: BundleDeployment, { namespace, name, version }: Revision, durationMs: number): void {
    log.info({ bundle: metadata.name, release: `${namespace}/${name}`, version, durationMs }, 'bundle deployed')
  }

  /** The account of a deployment may have been given the right to label its namespace since, and others may have labelled it. */
  async function withLabels(deployment: BundleDeployment, status: Status, isTouched: boolean): Promise<Status> {
    const release = parseRelease(status.release)
    if (!release || !((isTouched && hasMarks(deployment)) || tellsOfFailure(status))) return status
    await deployer.label(deployment)
    if (!tellsOfFailure(status)) return status
    return deployed(status, status.appliedDeploymentID ?? '', release, clock.now())
  }

  async function failed(key: string, deployment: BundleDeployment, error: unknown): Promise<Outcome> {
    const status = deployment.status ?? {}
    const { deploymentID = '' } = deployment.spec
    const message = stableMessage(error)
    switch (failureClass(error)) {
      case 'permanent':
        tracking.forget(key)
        log.warn({ bundle: deployment.metadata.name, err: error }, 'bundle can never be deployed, waits for another version')
        return { status: failedForGood(status, deploymentID, message, clock.now()) }
      case 'namespace':
        return { status: namespaceRefused(await installed(deployment), message, clock.now()), requeueAfterMs: NAMESPACE_RETRY_MS }
      case 'broken': {
        const final = error instanceof TerminalError ? error : new TerminalError(message, { cause: error })
        return { status: notDeployed(status, new Error(message), clock.now()), error: final }
      }
      case 'passing':
        return passing(key, status, error, message)
      case 'unreported':
        return { status, error }
    }
  }

  /** The release of a deployment was made before its namespace could not be labelled. */
  async function installed(deployment: BundleDeployment): Promise<Status> {
    const { spec, status = {} } = deployment
    const last = (await store.revisions(releaseOf(deployment))).findLast(({ state }) => state === 'deployed')
    return last ? deployed(status, spec.deploymentID ?? '', last, clock.now()) : status
  }

  /** A wait is named in the status, but not one that ends by itself at once. */
  function passing(key: string, status: Status, error: unknown, message: string): Outcome {
    if (!(error instanceof WaitingError)) return { status: notDeployed(status, new Error(message), clock.now()), error }
    if (!BRIEF_WAITS.includes(error.reason)) return { status: notDeployed(status, error, clock.now()), error }
    const since = waitingSince.get(key) ?? clock.now()
    waitingSince.set(key, since)
    if (clock.now() - since < UNREPORTED_WAIT_MS) return { status, error }
    const longer = new WaitingError(message, { reason: error.reason, retryAfterMs: LONG_WAIT_MS })
    return { status: notDeployed(status, error, clock.now()), error: longer }
  }

  return {
    bringAbout,
    touched: (key) => void touched.add(key),
    overtake: (key) => slow.get(key)?.abort(new Error('another version is asked for')),
    reported: (key) => void known.add(key),
    forget(key) {
      known.delete(key)
      touched.delete(key)
      waitingSince.delete(key)
    },
  }
}

function hasMarks({ spec: { options = {} } }: BundleDeployment): boolean {
  return Object.keys({ ...options.namespaceLabels, ...options.namespaceAnnotations }).length > 0
}

/** Helm waits for as long as the options say; to undo what does not become ready it waits without being told to. */
function waitsForObjects({ spec }: BundleDeployment): boolean {
  const { timeoutSeconds, atomic } = spec.options?.helm ?? {}
  return (timeoutSeconds ?? 0) > 0 || atomic === true
}
