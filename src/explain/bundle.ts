// Link `bundle`: has the hub handled it, and with what result? (spec 2.7)
import type { Bundle } from '../api/bundle.ts'
import type { GitRepo } from '../api/git-repo.ts'
import { COMMIT_LABEL } from '../api/labels.ts'
import { readyMessage } from '../api/summary.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { conditionWith, type Finding, quoted, sinceOf, timeIn, upcoming } from './finding.ts'
import type { BundlePlan } from './plan.ts'
import { type Checked, isBehind } from './source.ts'
import type { World } from './world.ts'

type Trouble = Omit<Finding, 'link'>

/** The hub looks again at a bundle that waits for something this often. */
const RETRY_MS = 5_000
/** Names that are told. */
const MAX_NAMED = 3

/** `maker` is the GitRepo that the bundle comes from, if it is known. */
export function checkBundle(plan: BundlePlan, maker: GitRepo | undefined, world: World): Checked {
  const { bundle } = plan
  const trouble = leaving(bundle, world) ?? refused(plan, world) ?? outdated(bundle, maker) ?? unhandled(plan)
  if (trouble) return { finding: { link: 'bundle', sameAs: trouble.message.replaceAll(keyOf(bundle), ''), ...trouble } }
  const paused = bundle.spec.paused ? '; paused: new versions are prepared, not deployed' : ''
  return { note: `the hub has handled bundle ${keyOf(bundle)}${paused}` }
}

function leaving(bundle: Bundle, world: World): Trouble | undefined {
  const { deletionTimestamp, finalizers } = bundle.metadata
  if (!deletionTimestamp) return undefined
  const left = world.deploymentsOf(keyOf(bundle))
  const names = left.slice(0, MAX_NAMED).map(keyOf).join(', ')
  const waits =
    left.length > 0 ? `waits for ${left.length} of its deployments to go (${names})` : `is kept by ${finalizers?.join(', ') || 'nobody'}`
  return {
    state: 'waiting',
    reason: 'Deleting',
    message: `bundle ${keyOf(bundle)} is being deleted and ${waits}`,
    since: timeIn(deletionTimestamp),
  }
}

/** A Ready condition with a reason is about the bundle itself; without, it sums up its deployments. Faults of single clusters are told there. */
function refused({ bundle, hubErrors, targetError, strategyError }: BundlePlan, { now }: World): Trouble | undefined {
  const ready = conditionWith(bundle.status?.conditions, 'Ready', 'False')
  if (!ready?.reason || isSum(bundle, ready.message) || hubErrors.size > 0 || targetError !== undefined || strategyError !== undefined)
    return undefined
  const about = `bundle ${keyOf(bundle)}`
  const isWaiting = ready.reason !== 'Error'
  return {
    state: isWaiting ? 'waiting' : 'blocked',
    reason: isWaiting ? ready.reason : 'BundleRefused',
    message: isWaiting
      ? `${about}: ${quoted(ready.message)}`
      : `${about}: ${quoted(ready.message)}; what was deployed stays until this is mended`,
    since: sinceOf(ready),
    nextTry: isWaiting ? upcoming(now + RETRY_MS, now) : undefined,
  }
}

/** Some hubs leave the reason of an earlier error behind. */
function isSum({ status }: Bundle, message: string | undefined): boolean {
  return message !== undefined && message !== '' && message === readyMessage(status?.summary ?? {}, 'Cluster')
}

function outdated(bundle: Bundle, maker: GitRepo | undefined): Trouble | undefined {
  const [wanted, is] = [maker?.status?.commit, bundle.metadata.labels?.[COMMIT_LABEL]]
  if (!wanted || !is || wanted === is || maker?.spec.revision === is) return undefined
  return {
    state: 'waiting',
    reason: 'OldCommit',
    message: `bundle ${keyOf(bundle)} was made from commit ${is.slice(0, 12)}, and has not been made from ${wanted.slice(0, 12)} yet`,
  }
}

function unhandled({ bundle, hubErrors, targetError, strategyError }: BundlePlan): Trouble | undefined {
  const { metadata, status } = bundle
  if (hubErrors.size > 0 || targetError !== undefined || strategyError !== undefined) return undefined
  if (!isBehind(metadata.generation, status?.observedGeneration)) return undefined
  const what = status?.observedGeneration ? 'was changed, its new spec has not been handled yet' : 'has not been handled yet'
  return {
    state: 'waiting',
    reason: 'NotObserved',
    message: `bundle ${keyOf(bundle)} ${what}: if this stays so, see that fleet-controller runs, and that the shard label of the bundle names one that does`,
    since: status?.observedGeneration ? undefined : timeIn(metadata.creationTimestamp),
  }
}

/** For deployments whose bundle is not there. */
export function missingBundle(key: string): Finding {
  return {
    link: 'bundle',
    state: 'blocked',
    reason: 'BundleMissing',
    message: `bundle ${key} does not exist: its deployments are left over and are to be removed, or restore the bundle`,
  }
}

/** For makers that have made none. */
export function noBundles(about: string, isGit: boolean): Finding {
  const hint = isGit ? 'see that spec.paths name folders with manifests, a chart or a fleet.yaml' : 'see its conditions'
  return { link: 'bundle', state: 'blocked', reason: 'NoBundles', message: `${about} has made no bundles: ${hint}` }
}
