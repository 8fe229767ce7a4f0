// What is to be done about a deployment. Pure.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { AGENT_NAME } from '../api/labels.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { LiveState, ModifiedResource } from './monitor/types.ts'
import { parseRelease, type Status } from './status.ts'

/** Somebody wants the deployment to be left alone (spec 7.1 step 2). */
export function isHeld({ spec }: BundleDeployment): boolean {
  return Boolean(spec.paused || spec.offSchedule || spec.waitingForValues)
}

/**
 * - `deploy`: another version is asked for, or the record of the release is gone
 * - `copy`: copies may be out of date, because their generation rose or somebody touched the deployment; if they are, the version is deployed again
 * - `nothing`: it is deployed, or can never be
 */
export function decide({ spec, status = {} }: BundleDeployment, releaseExists: boolean, isTouched = false): 'deploy' | 'copy' | 'nothing' {
  if (!spec.deploymentID) return 'nothing'
  if (spec.deploymentID !== status.appliedDeploymentID) return 'deploy'
  const isGivenUp = !parseRelease(status.release) && isNotInstalled(status)
  if (isGivenUp) return 'nothing'
  if (!parseRelease(status.release) || !releaseExists) return 'deploy'
  const hasCopies = (spec.options?.downstreamResources?.length ?? 0) > 0
  const isBehind = (spec.downstreamResourcesGeneration ?? 0) !== (status.downstreamResourcesGeneration ?? 0)
  return isBehind || (hasCopies && isTouched) ? 'copy' : 'nothing'
}

/** The version is deployed, but its account was not allowed to label the namespace. */
export function lacksLabels(status: Status): boolean {
  return parseRelease(status.release) !== undefined && isNotInstalled(status)
}

/** The version is deployed, but the status tells of a failure: of its labels or copies, or of another version that was asked for in between. */
export function tellsOfFailure(status: Status): boolean {
  return lacksLabels(status) || getCondition(status.conditions, 'Deployed')?.status === 'False'
}

function isNotInstalled(status: Status): boolean {
  return getCondition(status.conditions, 'Installed')?.status === 'False'
}

/** Objects of an earlier version that are to go now: those of an older agent, and those that a forced synchronisation finds (spec 7.1 step 9). */
export function orphansToDelete(deployment: BundleDeployment, live: LiveState): ModifiedResource[] {
  if (!isAgent(deployment) && !isForced(deployment)) return []
  return live.modifiedStatus.filter((resource) => resource.delete)
}

/**
 * Whether what is modified is to be put back: because the deployment wants it, because a synchronisation is forced (once), or because the agent's own
 * objects are concerned, which nobody else would mend (spec 7.1 step 9, 7.8). Those are put back when they are seen modified for the second time (`soon` before),
 * so that two parties who do not agree do not keep each other busy.
 */
export function restoration(deployment: BundleDeployment, live: LiveState): 'now' | 'soon' | undefined {
  if (live.nonModified) return undefined
  if (deployment.spec.correctDrift?.enabled || isForced(deployment)) return 'now'
  if (!isAgent(deployment)) return undefined
  return deployment.status?.modifiedStatus?.length ? 'now' : 'soon'
}

function isAgent({ metadata }: BundleDeployment): boolean {
  return metadata.name.startsWith(AGENT_NAME)
}

function isForced({ spec, status }: BundleDeployment): boolean {
  const generation = spec.options?.forceSyncGeneration ?? 0
  return generation > 0 && generation !== status?.syncGeneration
}

/**
 * Whether an object that the options name as overwritten is missing: for the first time (`now`), or as it was reported `before` (spec 7.1 step 11).
 */
export function overwrittenObject({ spec, status }: BundleDeployment, live: LiveState): 'before' | 'now' | undefined {
  const named = spec.options?.overwrites ?? []
  const isNamed = (resource: { kind?: string | undefined; name?: string | undefined }): boolean =>
    named.some(({ kind, name }) => kind === resource.kind && name === resource.name)
  const missing = live.modifiedStatus.filter((resource) => resource.missing && isNamed(resource))
  if (missing.length === 0) return undefined
  const wasMissing = (status?.modifiedStatus ?? []).some((resource) => resource.missing && isNamed(resource))
  return wasMissing ? 'before' : 'now'
}
