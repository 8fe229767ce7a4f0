// Which git jobs are done with.
import { FLEET_API_VERSION, GIT_REPO } from '../../api/kinds.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'

export const JOB: ResourceType = { apiVersion: 'batch/v1', kind: 'Job' }

export interface Job extends KubeObject {
  readonly status?: { readonly succeeded?: number | null; readonly completionTime?: string | null }
}

/** A job of a GitRepo that has done its work (spec 9.1). */
export function isFinishedGitJob({ metadata, status }: Job): boolean {
  if (metadata.deletionTimestamp) return false
  const isOurs = metadata.ownerReferences?.some(({ apiVersion, kind }) => apiVersion === FLEET_API_VERSION && kind === GIT_REPO.kind)
  return isOurs === true && status?.succeeded === 1 && Boolean(status.completionTime)
}
