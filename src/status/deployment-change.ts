import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { isSame } from '../lib/controller/status.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'

/** Fields of a deployment's status that sums are made of; `display` and `release`, for example, are not. */
const SUMMED = [
  'appliedDeploymentID',
  'ready',
  'nonModified',
  'conditions',
  'nonReadyStatus',
  'modifiedStatus',
  'incompleteState',
  'resources',
  'resourceCounts',
] as const

/** Whether an event of a deployment can change what is summed up from deployments. Most writes of the hub itself cannot. */
export function changesSums({ type, object, old }: InformerEvent<BundleDeployment>): boolean {
  if (type !== 'modified' || !old) return true
  if (object.spec.deploymentID !== old.spec.deploymentID || object.spec.stagedDeploymentID !== old.spec.stagedDeploymentID) return true
  if (object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp || !isSame(object.metadata.labels, old.metadata.labels))
    return true
  return SUMMED.some((field) => !isSame(object.status?.[field], old.status?.[field]))
}

/** The deployments that count: those that are not being deleted. */
export function live(deployments: readonly BundleDeployment[]): BundleDeployment[] {
  return deployments.filter((deployment) => !deployment.metadata.deletionTimestamp)
}
