// Applies the plan of one round and says what came of it (spec 2.7 steps 6–11).
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_NAMESPACE_LABEL } from '../api/labels.ts'
import type { ReconcileResult } from '../lib/controller/controller.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { isConflict } from '../lib/kube/errors.ts'
import { candidatesOf, namespacesOf } from '../target/candidates.ts'
import { type Candidate, refersToGroups } from '../target/match.ts'
import { planRollout } from '../target/rollout.ts'
import type { RolloutPlan } from '../target/rollout-types.ts'
import type { Target, Targeting } from '../target/target.ts'
import { applyStep, asksForCopies, type StepContext, takenName } from './apply-step.ts'
import { nextStatus } from './bundle-status.ts'
import { deploymentsOf } from './caches.ts'
import type { Contents } from './contents.ts'
import { belongsTo, type DeploymentTarget } from './desired.ts'
import { failure } from './failure.ts'
import { registryReference } from './registry-reference.ts'
import { removalsOf } from './removals.ts'
import { removeDeployments } from './remove-deployments.ts'
import { sourcesOf } from './requested-copies.ts'
import type { BundleStage } from './stage.ts'

/** Somebody else changed an object, or more deployments may be made: look again so soon. */
const SOON_MS = 100

/** A bundle with what is to be done for it now. */
export interface Round {
  readonly bundle: Bundle
  readonly contents: Contents
  readonly targets: readonly DeploymentTarget[]
  readonly plan: RolloutPlan<DeploymentTarget>
}

/** Throws TerminalError if the strategy cannot be followed. */
export async function planRound(stage: BundleStage, bundle: Bundle, contents: Contents, targeting: Targeting): Promise<Round> {
  await targeting.prepare(candidates(stage, bundle), () => new Promise((resolve) => setImmediate(resolve)))
  const targets = withDeployments(stage, bundle, targeting.targets(candidates(stage, bundle)))
  const plan = planRollout({ targets, strategy: bundle.spec.rolloutStrategy, paused: bundle.spec.paused ?? false })
  return { bundle, contents, targets, plan }
}

/** Content, deployments with their secrets and copies, status, and what is left of contents before. What failed is thrown after all of it. */
export async function applyRound(stage: BundleStage, round: Round, signal: AbortSignal): Promise<ReconcileResult | undefined> {
  const { bundle, contents, targets, plan } = round
  if (targets.some(({ deploymentId }) => deploymentId !== '')) await stage.contents.ensure(bundle, contents)
  const context = await contextOf(stage, round, signal)
  const outcomes = await Promise.all(plan.steps.map((step) => applyStep(context, step)))
  const ociReference = await registryReference(bundle, contents, stage)
  const errors = await removeDeployments(stage, leftovers(stage, bundle, targets))
  const status = nextStatus(
    { before: bundle.status, generation: bundle.metadata.generation, contents, plan, outcomes, ociReference },
    stage.clock.now(),
  )
  const progressMs = await stage.record.writeStatus(bundle, status)
  const artifactsMs = await stage.artifacts.tidy(bundle, deploymentsOf(keyOf(bundle), stage.caches), signal)
  return decide([...errors, ...outcomes.flatMap(({ error }) => error ?? [])], plan.moreToCreate ? SOON_MS : 0, progressMs, artifactsMs)
}

function candidates({ caches, warnOnce }: BundleStage, bundle: Bundle): Candidate[] {
  const { mappings, namespaces, clusters, groups } = caches
  const reachable = namespacesOf(bundle, mappings.list(bundle.metadata.namespace), namespaces.list())
  for (const { mapping, error } of reachable.invalid) {
    warnOnce(
      { mapping: keyOf(mapping), version: mapping.metadata.resourceVersion, err: error },
      'mapping has an invalid selector and is ignored',
    )
  }
  const groupsIn = refersToGroups(bundle.spec) ? (namespace: string) => groups.list(namespace) : () => []
  return candidatesOf(reachable.namespaces, (namespace) => clusters.list(namespace), groupsIn)
}

/** Targets with the deployments they have. Where none can be made, the reason stands with them. */
function withDeployments({ caches }: BundleStage, bundle: Bundle, targets: readonly Target[]): DeploymentTarget[] {
  const isNamedIn = (namespace: string) => caches.bundles.get(bundle.metadata.name, namespace) !== undefined
  const seen = new Set<string>()
  return targets.map((target) => {
    const { cluster, groups, deploymentId } = target
    const base = { target, cluster, groups, deploymentId }
    const namespace = cluster.status?.namespace
    if (!namespace) return { ...base, hindrance: 'cluster has no namespace yet, its registration is not complete' }
    if (seen.has(namespace)) return { ...base, hindrance: `namespace ${namespace} belongs to another cluster too` }
    seen.add(namespace)
    const deployment = caches.newest.deployments.get(bundle.metadata.name, namespace)
    if (!deployment) return base
    if (!belongsTo(bundle, deployment, isNamedIn)) return { ...base, hindrance: takenName(deployment) }
    if (deployment.metadata.deletionTimestamp) return { ...base, hindrance: 'waits until the deployment before it is gone' }
    return { ...base, deployment }
  })
}

async function contextOf(stage: BundleStage, { bundle, contents, targets }: Round, signal: AbortSignal): Promise<StepContext> {
  const { client, caches, secrets, copier, limited } = stage
  const copies = sourcesOf(bundle).length > 0 || targets.some(({ deployment }) => deployment && asksForCopies(deployment))
  if (copies) await copier.ready(signal)
  const workspace = bundle.metadata.namespace ?? ''
  const isOfSameWorkspace = (name: string, namespace: string) => {
    const owner = caches.newest.deployments.get(name, namespace)
    return owner === undefined || owner.metadata.labels?.[BUNDLE_NAMESPACE_LABEL] === workspace
  }
  return {
    client,
    bundle,
    contents,
    deployments: caches.newest.deployments,
    secrets,
    limited,
    copies: copies ? { caches: copier.caches(isOfSameWorkspace), session: copier.session(workspace) } : undefined,
  }
}

/** Deployments on clusters that are no targets any more. */
function leftovers({ caches }: BundleStage, bundle: Bundle, targets: readonly Candidate[]): BundleDeployment[] {
  return removalsOf(deploymentsOf(keyOf(bundle), caches), targets, (name, namespace) => caches.clusters.get(name, namespace))
}

/** What has only changed meanwhile is looked at again without a word; everything else is an error of this round. */
function decide(errors: readonly unknown[], ...waits: number[]): ReconcileResult | undefined {
  const serious = errors.filter((error) => !isConflict(error))
  if (serious.length > 0) throw failure(serious)
  const due = [...waits, errors.length > 0 ? SOON_MS : 0].filter((ms) => ms > 0)
  return due.length > 0 ? { requeueAfterMs: Math.min(...due) } : undefined
}
