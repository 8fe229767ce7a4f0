// The loop of the agent: one BundleDeployment from the hub's wish to the status that says what came of it (spec 7.1). Read `reconcile` from the top.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import type { ReconcileResult } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import { onNewest } from '../lib/controller/on-newest.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer, InformerEvent } from '../lib/kube/informer.ts'
import type { Attempts } from './attempt.ts'
import type { Care } from './care.ts'
import type { Corrector } from './correct.ts'
import { isHeld } from './decide.ts'
import { isSameRelease } from './deployer.ts'
import type { Removal } from './removal.ts'
import { OWNED_FIELDS, parseRelease, type Status } from './status.ts'
import type { Tracking } from './tracking.ts'

export interface DeploymentReconcilerOptions {
  hub: KubeClient
  deployments: Informer<BundleDeployment>
  attempts: Attempts
  care: Care
  removal: Removal
  tracking: Tracking
  corrector: Corrector
  log: Logger
  /** A deployment was looked after without an error: from now on forgotten releases may be collected. */
  onSuccess(): void
}

export interface DeploymentReconciler {
  reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined>
  /** The keys that an event of the hub concerns. */
  keysFor(event: InformerEvent<BundleDeployment>): readonly string[]
}

export function createDeploymentReconciler(options: DeploymentReconcilerOptions): DeploymentReconciler {
  const { hub, deployments, attempts, care, removal, tracking, corrector, log } = options
  const writer = createStatusWriter(hub)

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = parseKey(key)
    const cached = deployments.get(name, namespace)
    if (!cached) return remove(key, signal)
    const deployment = writer.latest(cached)
    if (isHeld(deployment)) return leave(key)
    if (deployment.metadata.deletionTimestamp) return undefined // removed as soon as the hub lets go of it

    const attempt = await attempts.bringAbout(key, deployment, signal)
    const outcome = attempt.error === undefined ? await care.lookAfter(key, deployment, attempt, signal) : attempt
    await report(cached, outcome.status)
    if (attempt.error === undefined) attempts.reported(key)
    if (outcome.error !== undefined) throw outcome.error
    options.onSuccess()
    await leaveOldRelease(deployment, outcome.status, signal)
    return { requeueAfterMs: outcome.requeueAfterMs }
  }

  async function remove(key: string, signal: AbortSignal): Promise<undefined> {
    const { name, namespace = '' } = parseKey(key)
    if (await hub.find({ ...BUNDLE_DEPLOYMENT, name, namespace })) return // the cache is behind: its event will come
    leave(key)
    await removal.removeDeployment(name, signal)
  }

  function leave(key: string): undefined {
    tracking.forget(key)
    corrector.forget(key)
    attempts.forget(key)
  }

  /** What stands in the status is ours alone, so on a conflict with the hub's fields the same goes on top of the newer version. */
  async function report(deployment: BundleDeployment, status: Status): Promise<void> {
    await onNewest(hub, deployment, (newest) => writer.write(newest, status, { owned: OWNED_FIELDS, cached: deployment }))
  }

  /** After a move the release at the old place goes; if this fails, the collection of forgotten releases will do it. */
  async function leaveOldRelease({ metadata, status }: BundleDeployment, after: Status, signal: AbortSignal): Promise<void> {
    const [old, current] = [parseRelease(status?.release), parseRelease(after.release)]
    if (!old || !current || isSameRelease(old, current)) return
    try {
      const owner = await removal.ownOwner(old)
      if (owner?.bundleId === metadata.name) await removal.removeRelease(old, owner, signal)
    } catch (error) {
      log.warn({ bundle: metadata.name, release: status?.release, err: error }, 'release at the old place is not removed yet')
    }
  }

  /** Our own status reports do not concern us; but they may be what other deployments wait for. */
  function keysFor({ type, object, old }: InformerEvent<BundleDeployment>): readonly string[] {
    const key = keyOf(object)
    const dependents = deployments.list().filter(isWaitingForDependency).map(keyOf)
    if (type === 'deleted' || (old && old.spec.deploymentID !== object.spec.deploymentID)) attempts.overtake(key)
    const concerns = type !== 'modified' || !old || isChanged(old, object)
    if (type === 'modified' && old && isTouched(old, object)) attempts.touched(key)
    return concerns ? [key, ...dependents] : dependents
  }

  return { reconcile, keysFor }
}

/** The event filter of spec 7.1. */
function isChanged(old: BundleDeployment, deployment: BundleDeployment): boolean {
  return (
    isTouched(old, deployment) ||
    old.metadata.uid !== deployment.metadata.uid ||
    old.metadata.deletionTimestamp !== deployment.metadata.deletionTimestamp ||
    old.status?.syncGeneration !== deployment.status?.syncGeneration
  )
}

/** Somebody else than this agent wrote the deployment. */
function isTouched(old: BundleDeployment, { metadata }: BundleDeployment): boolean {
  return (
    old.metadata.generation !== metadata.generation ||
    !isSameMap(old.metadata.labels, metadata.labels) ||
    !isSameMap(old.metadata.annotations, metadata.annotations)
  )
}

function isSameMap(a: Record<string, string> = {}, b: Record<string, string> = {}): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value)
}

function isWaitingForDependency({ spec, status }: BundleDeployment): boolean {
  return spec.deploymentID !== status?.appliedDeploymentID && (spec.dependsOn?.length ?? 0) > 0 && !spec.paused
}
