// Brings one deployment, its secret and its copies to what a step of the rollout wants, with as few requests as possible.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment, BundleDeploymentSpec } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import { FLEET_PREFIX } from '../api/labels.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import type { Contents } from './contents.ts'
import type { CopySession } from './copier.ts'
import { planValues, settledValues, type ValuesPlan, type ValuesState } from './deployment-values.ts'
import { type DeploymentStep, desiredDeployment } from './desired.ts'
import type { Limiter } from './limiter.ts'
import { mergePatch } from './merge-patch.ts'
import type { Newest } from './newest.ts'
import type { CopyCaches, CopyPlan } from './plan-copies.ts'
import { planCopies } from './plan-copies.ts'
import { requestedCopies } from './requested-copies.ts'
import type { ValuesSecrets } from './values-secrets.ts'

/** Annotation of a deployment: the state of the secrets and config maps that its copies were announced with. */
const ANNOUNCED_ANNOTATION = `${FLEET_PREFIX}downstream-resources-state`

/** What a round of reconciliation gives to all its steps. */
export interface StepContext {
  readonly client: KubeClient
  readonly bundle: Bundle
  readonly contents: Contents
  readonly deployments: Newest<BundleDeployment>
  readonly secrets: ValuesSecrets
  /** Set if anything is copied, or was. */
  readonly copies: { readonly caches: CopyCaches; readonly session: CopySession } | undefined
  readonly limited: Limiter
}

export interface StepOutcome {
  readonly step: DeploymentStep
  /** As it is now, or as it was if it could not be changed. */
  readonly deployment: BundleDeployment | undefined
  /** Sentences about what the user has to do. */
  readonly problems: readonly string[]
  /** Why the step failed. */
  readonly error?: unknown
}

const NO_COPIES: CopyPlan = { writes: [], leftovers: [], state: '', changes: false, problems: [] }

/** True if deployments of the bundle have copies beside them, or had. */
export function asksForCopies({ spec, metadata }: BundleDeployment): boolean {
  const { requests, problems } = requestedCopies(spec)
  return requests.length + problems.length > 0 || metadata.annotations?.[ANNOUNCED_ANNOTATION] !== undefined
}

/** Never throws: what went wrong is part of the outcome, so that one cluster does not stop the others. */
export async function applyStep(context: StepContext, step: DeploymentStep): Promise<StepOutcome> {
  const before = step.target.deployment
  if (!before && !step.create) return { step, deployment: undefined, problems: [] }
  const wanted = desiredDeployment(context.bundle, context.contents, step)
  const { copies, problems } = copiesOf(context, wanted)
  try {
    const known = settledValues({ target: step.target.target, before, after: wanted, secret: context.secrets.of(wanted) })
    if (before && known && copies.writes.length + copies.leftovers.length === 0) {
      const after = completed(wanted, known, copies)
      const patch = patchOf(before, after)
      if (!patch) return { step, deployment: before, problems }
      return { step, deployment: await context.limited(() => update(context, before, patch)), problems }
    }
    return { step, deployment: await context.limited(() => write(context, step, wanted, copies)), problems }
  } catch (error) {
    return { step, deployment: before, problems, error }
  }
}

function copiesOf({ bundle, copies }: StepContext, wanted: BundleDeployment): { copies: CopyPlan; problems: string[] } {
  const { requests, problems } = requestedCopies(wanted.spec)
  if (!copies) return { copies: NO_COPIES, problems: [...problems] }
  const plan = planCopies(wanted, bundle.metadata.namespace ?? '', requests, copies.caches)
  return { copies: plan, problems: [...problems, ...plan.problems] }
}

/** A new deployment comes before what it owns. Of an existing one the version comes last: the agent then finds everything in place. */
async function write(context: StepContext, step: DeploymentStep, wanted: BundleDeployment, copies: CopyPlan): Promise<BundleDeployment> {
  const { secrets } = context
  const before = step.target.deployment
  const situation = { target: step.target.target, before, after: wanted, secret: secrets.of(wanted) }
  const values: ValuesPlan = settledValues(situation) ?? (await planValues(situation, () => secrets.read(wanted)))
  const after = completed(wanted, values, copies)
  const owner = before ?? (await create(context, after))
  if (values.write) await secrets.write(owner, values.write)
  await context.copies?.session.write(owner, copies)
  const patch = before && patchOf(before, after)
  const written = patch ? await update(context, owner, patch) : owner
  if (values.valuesHash === '') await secrets.drop(owner)
  return written
}

/** One that is there already is looked at in the next round: it may be of another bundle. */
async function create({ client, deployments }: StepContext, wanted: BundleDeployment): Promise<BundleDeployment> {
  try {
    const created = await client.create(wanted)
    deployments.wrote(created)
    return created
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const { name, namespace = '' } = wanted.metadata
    const existing = await client.find<BundleDeployment>({ ...BUNDLE_DEPLOYMENT, name, namespace })
    if (existing) deployments.wrote(existing)
    throw new WaitingError(`bundle deployment ${namespace}/${name} has just appeared`, { retryAfterMs: 100 })
  }
}

/** What to tell when a bundle of another workspace has its deployment where this one's should be. */
export function takenName({ metadata: { name, namespace = '', labels } }: BundleDeployment): string {
  const other = `${labels?.['fleet.cattle.io/bundle-namespace'] ?? 'nobody'}/${labels?.['fleet.cattle.io/bundle-name'] ?? name}`
  return `the name ${name} is taken in namespace ${namespace} by bundle ${other}: rename one of the bundles`
}

async function update({ client, deployments }: StepContext, before: BundleDeployment, patch: object): Promise<BundleDeployment> {
  const { name, namespace = '' } = before.metadata
  const updated = await client.patch<BundleDeployment>({ ...BUNDLE_DEPLOYMENT, name, namespace }, patch, { type: 'merge' })
  deployments.wrote(updated)
  return updated
}

/** With what the secrets and copies mean for the spec. */
function completed(
  wanted: BundleDeployment,
  { valuesHash, waitingForValues }: ValuesState,
  { state, changes }: CopyPlan,
): BundleDeployment {
  const { valuesHash: _hash, waitingForValues: _waiting, downstreamResourcesGeneration = 0, ...spec } = wanted.spec
  const { [ANNOUNCED_ANNOTATION]: announced, ...annotations } = wanted.metadata.annotations ?? {}
  const isNews = state !== '' && (changes || state !== announced)
  const generation = isNews ? downstreamResourcesGeneration + 1 : downstreamResourcesGeneration
  const nextSpec: BundleDeploymentSpec = {
    ...spec,
    ...(valuesHash ? { valuesHash } : {}),
    ...(waitingForValues ? { waitingForValues } : {}),
    ...(generation ? { downstreamResourcesGeneration: generation } : {}),
  }
  return {
    ...wanted,
    metadata: { ...wanted.metadata, annotations: state ? { ...annotations, [ANNOUNCED_ANNOTATION]: state } : annotations },
    spec: nextSpec,
  }
}

/** On top of the version that the decision was made on: whoever changed it meanwhile wins, and we look again. */
function patchOf(before: BundleDeployment, after: BundleDeployment): object | undefined {
  const patch = mergePatch(parts(before), parts(after))
  if (!patch) return undefined
  const { resourceVersion } = before.metadata
  return { ...patch, metadata: { ...(patch.metadata ?? {}), ...(resourceVersion ? { resourceVersion } : {}) } }
}

function parts({ metadata: { labels = {}, annotations = {}, finalizers }, spec }: BundleDeployment): object {
  return { metadata: { labels, annotations, finalizers }, spec }
}
