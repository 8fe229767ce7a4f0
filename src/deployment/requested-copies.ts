// Which secrets and config maps of the workspace a deployment needs beside it (spec 2.7 step 9, 1.4).
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeploymentSpec } from '../api/bundle-deployment.ts'
import type { DownstreamResource } from '../api/bundle-deployment-options.ts'
import { HELM_OPS_SECRET, INTERNAL_SECRET_LABEL, OCI_STORAGE_SECRET } from '../api/labels.ts'
import type { CopyRequest } from './copied-objects.ts'

export interface RequestedCopies {
  readonly requests: readonly CopyRequest[]
  /** Sentences about what cannot be copied. */
  readonly problems: readonly string[]
}

const KINDS = new Map<string, CopyRequest['kind']>([
  ['secret', 'Secret'],
  ['configmap', 'ConfigMap'],
])

/** What both versions of a deployment ask for, and the credentials for contents that the agent downloads. One of a kind and name counts once. */
export function requestedCopies(spec: BundleDeploymentSpec): RequestedCopies {
  const requests = new Map<string, CopyRequest>()
  const problems = new Set<string>()
  for (const { kind = '', name = '' } of [
    ...(spec.options?.downstreamResources ?? []),
    ...(spec.stagedOptions?.downstreamResources ?? []),
  ]) {
    const known = KINDS.get(kind.toLowerCase())
    if (known && name !== '') requests.set(`${known}/${name}`, { kind: known, name })
    else
      problems.add(
        `unsupported kind for downstreamResources: ${JSON.stringify(kind)} (${JSON.stringify(name)}), use Secret or ConfigMap with a name`,
      )
  }
  for (const request of accessSecrets(spec)) requests.set(`Secret/${request.name}`, request)
  return { requests: [...requests.values()], problems: [...problems] }
}

function accessSecrets({ ociContents, helmChartOptions, deploymentID, stagedDeploymentID }: BundleDeploymentSpec): CopyRequest[] {
  const internal = { kind: 'Secret', labels: { [INTERNAL_SECRET_LABEL]: 'true' } } as const
  if (ociContents) {
    const ids = new Set([deploymentID, stagedDeploymentID].map((id) => id?.split(':')[0] ?? '').filter((id) => id !== ''))
    return [...ids].map((name) => ({ ...internal, name, type: OCI_STORAGE_SECRET }))
  }
  const name = helmChartOptions?.helmOpSecretName
  return name ? [{ ...internal, name, type: HELM_OPS_SECRET }] : []
}

/** `Kind/namespace/name` of all sources that a bundle may have copied; an index of bundles. */
export function sourcesOf({ metadata: { namespace = '' }, spec }: Bundle): string[] {
  const listed: DownstreamResource[] = [spec, ...(spec.targets ?? [])].flatMap((options) => options.downstreamResources ?? [])
  const sources = listed.map(({ kind = '', name = '' }) => `${KINDS.get(kind.toLowerCase())}/${namespace}/${name}`)
  const secrets = [spec.contentsId, spec.helmOpOptions?.helmOpSecretName].filter(Boolean).map((name) => `Secret/${namespace}/${name}`)
  return [...new Set([...sources, ...secrets])]
}
