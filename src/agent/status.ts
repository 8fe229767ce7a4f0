// What the agent says of a deployment on the hub. Pure: from what is known and what has happened to the next status.
import type { BundleDeploymentStatus } from '../api/bundle-deployment.ts'
import { modifiedText, nonReadyText } from '../api/status-text.ts'
import { type Condition, errorCondition, setCondition, trueCondition } from '../lib/controller/conditions.ts'
import type { LiveState } from './monitor/types.ts'
import type { RevisionRef } from './release/engine.ts'

export type Status = BundleDeploymentStatus

/** The fields that are the agent's; `display` is the hub's. */
export const OWNED_FIELDS = [
  'conditions',
  'appliedDeploymentID',
  'release',
  'ready',
  'nonModified',
  'nonReadyStatus',
  'modifiedStatus',
  'incompleteState',
  'syncGeneration',
  'resources',
  'resourceCounts',
  'downstreamResourcesGeneration',
] as const

/** `namespace/name:version` */
export function formatRelease({ namespace, name, version }: RevisionRef): string {
  return `${namespace}/${name}:${version}`
}

/** The revision that `status.release` names. */
export function parseRelease(text: string | undefined): RevisionRef | undefined {
  const [, namespace, name, version] = /^([^/:]+)\/([^/:]+):(\d+)$/.exec(text ?? '') ?? []
  return namespace && name && version ? { namespace, name, version: Number(version) } : undefined
}

/** A version was deployed, or found to be. */
export function deployed(status: Status, deploymentID: string, release: RevisionRef, now: number): Status {
  const conditions = set(set(status.conditions, trueCondition('Installed'), now), trueCondition('Deployed'), now)
  return { ...status, conditions, appliedDeploymentID: deploymentID, release: formatRelease(release) }
}

/** A version can never be deployed: it counts as applied, so that nothing is tried again, and says why (spec 7.1 c). */
export function failedForGood(status: Status, deploymentID: string, message: string, now: number): Status {
  const failed = withoutRelease({ ...status, appliedDeploymentID: deploymentID, ready: false, nonModified: true })
  return { ...failed, conditions: notInstalled(failed.conditions, message, now) }
}

/** A version was deployed, but its namespace could not be labelled (spec 7.1 b). */
export function namespaceRefused(status: Status, message: string, now: number): Status {
  return { ...status, ready: false, conditions: notInstalled(status.conditions, message, now) }
}

/** A version could not be deployed this time (spec 7.1 a and d). */
export function notDeployed(status: Status, error: Error, now: number): Status {
  return { ...status, conditions: set(status.conditions, errorCondition('Deployed', error), now) }
}

/** What live objects look like. `incompleteState` is never taken back. */
export function observed(status: Status, live: LiveState, syncGeneration: number, now: number): Status {
  const conditions = set(set(status.conditions, readiness(live), now), trueCondition('Monitored'), now)
  return {
    ...status,
    conditions,
    ready: live.ready,
    nonModified: live.nonModified,
    nonReadyStatus: unlessEmpty(live.nonReadyStatus),
    modifiedStatus: unlessEmpty(live.modifiedStatus),
    ...(live.incompleteState || status.incompleteState ? { incompleteState: true } : {}),
    resources: unlessEmpty(live.resources),
    resourceCounts: { ...live.resourceCounts },
    syncGeneration,
  } as Status
}

/** Live objects could not be looked at. */
export function notMonitored(status: Status, error: Error, now: number): Status {
  return { ...status, conditions: set(status.conditions, errorCondition('Monitored', error), now) }
}

/** A correction was refused: what is not as it was deployed stays so. */
export function notCorrected(status: Status, error: Error, now: number): Status {
  return { ...status, conditions: set(status.conditions, errorCondition('Ready', error), now) }
}

function readiness(live: LiveState): { type: 'Ready'; status: 'True' | 'False'; reason?: string; message?: string } {
  if (live.ready && live.nonModified) return { type: 'Ready', status: 'True' }
  const [nonReady] = live.nonReadyStatus
  const [modified] = live.modifiedStatus
  const message = nonReady ? nonReadyText(nonReady) : modified ? modifiedText(modified) : live.ready ? 'out of sync' : 'not ready'
  return { type: 'Ready', status: 'False', reason: 'Error', message }
}

function notInstalled(conditions: Condition[] | undefined, message: string, now: number): Condition[] {
  const installed = set(conditions, errorCondition('Installed', new Error(`not installed: ${message}`)), now)
  const isDeployed = set(installed, trueCondition('Deployed'), now)
  return set(isDeployed, errorCondition('Ready', new Error(`not ready: ${message}`)), now)
}

function withoutRelease({ release: _, nonReadyStatus: __, modifiedStatus: ___, ...status }: Status): Status {
  return status
}

function set(conditions: Condition[] | undefined, update: Parameters<typeof setCondition>[1], now: number): Condition[] {
  return setCondition(conditions, update, now)
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined
}
