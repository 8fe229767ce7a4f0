// What the agents report as different, bundle deployment by bundle deployment.
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import { BUNDLE_NAME_LABEL } from '../../api/labels.ts'
import type { ModifiedStatus, NonReadyStatus } from '../../api/status.ts'

/** The report of one bundle deployment, as it is printed as JSON (spec 9.1). */
export interface DeploymentDiff {
  readonly bundleDeploymentName: string
  readonly bundleName: string
  readonly namespace: string
  readonly modifiedResources: readonly ModifiedStatus[]
  readonly nonReadyResources?: readonly NonReadyStatus[]
}

/** The reports of those that have something to report. */
export function diffsOf(deployments: readonly BundleDeployment[]): DeploymentDiff[] {
  return deployments.flatMap(({ metadata, status }) => {
    const [modified, nonReady] = [status?.modifiedStatus ?? [], status?.nonReadyStatus ?? []]
    if (modified.length === 0 && nonReady.length === 0) return []
    return [
      {
        bundleDeploymentName: metadata.name,
        bundleName: metadata.labels?.[BUNDLE_NAME_LABEL] ?? '',
        namespace: metadata.namespace ?? '',
        modifiedResources: modified,
        ...(nonReady.length > 0 ? { nonReadyResources: nonReady } : {}),
      },
    ]
  })
}
