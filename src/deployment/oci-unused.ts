// Which artifacts of a bundle nobody needs any more. Pure.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { isDeleting, type StoredSecret } from '../bundle/oci-secrets.ts'

export interface UnusedArtifacts {
  /** Secrets of artifacts to delete. */
  readonly unused: readonly StoredSecret[]
  /** The present one, marked as being deleted by somebody who did not live to finish: its artifact may be gone, and whoever publishes has to push it again. */
  readonly stale: readonly StoredSecret[]
}

/** `owned`: the secrets that the bundle owns. What a deployment has, or is about to have, stays until it has something else. */
export function artifactsToDelete(
  { spec }: Bundle,
  deployments: readonly BundleDeployment[],
  owned: readonly StoredSecret[],
): UnusedArtifacts {
  const needed = new Set(deployments.flatMap(idsOf))
  const others = owned.filter(({ metadata }) => metadata.name !== spec.contentsId)
  return {
    unused: others.filter(({ metadata }) => !needed.has(metadata.name)),
    stale: owned.filter((secret) => secret.metadata.name === spec.contentsId && isDeleting(secret)),
  }
}

/** One that takes its files from elsewhere needs none, even if these have the same id. */
function idsOf({ spec: { ociContents, deploymentID, stagedDeploymentID } }: BundleDeployment): string[] {
  if (!ociContents) return []
  return [deploymentID, stagedDeploymentID].map((id) => id?.split(':', 1)[0] ?? '')
}
