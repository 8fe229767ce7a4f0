// One look at one Bundle (spec 2.7): what is refused is said in its Ready condition, the rest is rolled out.
import type { Bundle } from '../api/bundle.ts'
import { errorCondition, getCondition } from '../lib/controller/conditions.ts'
import type { ReconcileResult } from '../lib/controller/controller.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { parseKey } from '../lib/controller/keys.ts'
import { InvalidSelectorError } from '../lib/kube/selectors.ts'
import { refusedStatus } from './bundle-status.ts'
import { withValues } from './bundle-values.ts'
import type { Contents } from './contents.ts'
import { finalizeBundle } from './finalize-bundle.ts'
import { authorize, impositionsOf, PolicyViolation } from './impositions.ts'
import { applyRound, planRound, type Round } from './roll-out.ts'
import { isOfShard } from './shard.ts'
import type { BundleStage } from './stage.ts'

/** Reconciles the bundle of a key. */
export async function reconcileBundle(
  stage: BundleStage,
  shard: string,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const { name, namespace } = parseKey(key)
  const found = stage.caches.newest.bundles.get(name, namespace)
  if (!found || !isOfShard(found, shard)) {
    stage.versions.forget(key)
    stage.record.forget(key)
    return undefined
  }
  if (found.metadata.deletionTimestamp) return finalizeBundle(stage, found, signal)
  const bundle = await stage.record.adopt(found)
  return applyRound(stage, await planOrRefuse(stage, bundle), signal)
}

/** What stands in the way of a plan is written to the bundle's status and thrown. */
async function planOrRefuse(stage: BundleStage, bundle: Bundle): Promise<Round> {
  const { caches, client, versions } = stage
  const namespace = bundle.metadata.namespace ?? ''
  const policies = caches.policies.list(namespace)
  let contents: Contents | undefined
  try {
    authorize(bundle, policies)
    contents = versions.contentsOf(bundle)
    const impositions = impositionsOf(bundle, policies, caches.restrictions.list(namespace))
    const targeting = await versions.targetingOf(bundle, impositions, (one) => withValues(one, caches.bundleSecrets, client))
    return await planRound(stage, bundle, contents, targeting)
  } catch (error) {
    const decision = error instanceof InvalidSelectorError ? new TerminalError(`targeting error: ${error.message}`) : error
    if (decision instanceof TerminalError || decision instanceof WaitingError) await refuse(stage, bundle, contents, decision)
    throw decision
  }
}

async function refuse(
  { record, clock, events }: BundleStage,
  bundle: Bundle,
  contents: Contents | undefined,
  error: TerminalError | WaitingError,
): Promise<void> {
  const known = getCondition(bundle.status?.conditions, 'Ready')?.message
  if (error instanceof PolicyViolation && known !== error.message) {
    events.event(bundle, { type: 'Warning', reason: 'PolicyViolation', action: 'ApplyPolicyRestrictions', note: error.message })
  }
  await record.writeStatus(bundle, refusedStatus(bundle.status, errorCondition('Ready', error), contents, clock.now()))
}
