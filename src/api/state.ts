// The state of a deployment in one word, derived from its BundleDeployment (spec 7.7), and the order of states from bad to good (spec 1).
import { getCondition } from '../lib/controller/conditions.ts'
import type { BundleDeployment } from './bundle-deployment.ts'

/** State of a deployment. */
export type BundleState = 'ErrApplied' | 'WaitApplied' | 'Modified' | 'OutOfSync' | 'Pending' | 'NotReady' | 'Ready'

const RANKS: ReadonlyMap<string, number> = new Map([
  ['ErrApplied', 7],
  ['WaitApplied', 6],
  ['Modified', 5],
  ['OutOfSync', 4],
  ['Pending', 3],
  ['NotReady', 2],
  ['Ready', 1],
] satisfies [BundleState, number][])

/** How bad a state is: 7 for ErrApplied down to 1 for Ready; 0 for what is no state. */
export function stateRank(state: string | undefined): number {
  return RANKS.get(state ?? '') ?? 0
}

/** What states are derived from; a deployment need not be a whole object. */
export type DeploymentLike = Pick<BundleDeployment, 'spec' | 'status'>

/** The state of a deployment, compared with the version that its own spec asks for. */
export function deploymentState(deployment: DeploymentLike): BundleState {
  return stateFor(deployment.spec.deploymentID ?? '', deployment)
}

/**
 * The state of a target: `deploymentId` is the version that it should get, which takes the place of the one in the spec of its deployment (spec 7.7, 12).
 * So a changed bundle waits even where the new version is not released yet. Pending without a deployment.
 */
export function targetState(deploymentId: string, deployment: DeploymentLike | undefined): BundleState {
  return deployment ? stateFor(deploymentId, deployment) : 'Pending'
}

function stateFor(deploymentId: string, { spec, status }: DeploymentLike): BundleState {
  if ((status?.appliedDeploymentID ?? '') !== deploymentId) {
    return getCondition(status?.conditions, 'Deployed')?.status === 'False' ? 'ErrApplied' : 'WaitApplied'
  }
  if (!status?.ready) return 'NotReady'
  if ((spec.stagedDeploymentID ?? '') !== deploymentId) return 'OutOfSync'
  return status.nonModified ? 'Ready' : 'Modified'
}

/** What the deployment says about its state: the message of Deployed, else of Installed if the version is applied, else of Monitored; empty if none. */
export function deploymentMessage(deployment: DeploymentLike): string {
  return messageFor(deployment.spec.deploymentID ?? '', deployment)
}

/** As {@link deploymentMessage}, for a target that should get another version than its deployment asks for. */
export function targetMessage(deploymentId: string, deployment: DeploymentLike | undefined): string {
  return deployment ? messageFor(deploymentId, deployment) : ''
}

function messageFor(deploymentId: string, { status }: DeploymentLike): string {
  const applied = (status?.appliedDeploymentID ?? '') === deploymentId
  const types = applied ? ['Deployed', 'Installed', 'Monitored'] : ['Deployed', 'Monitored']
  return types.map((type) => getCondition(status?.conditions, type)?.message ?? '').find((message) => message !== '') ?? ''
}

/** Whether a rollout counts the deployment as unavailable: not applied or not ready (spec 5.2). */
export function isUnavailable({ spec, status }: DeploymentLike): boolean {
  return (status?.appliedDeploymentID ?? '') !== (spec.deploymentID ?? '') || !status?.ready
}
