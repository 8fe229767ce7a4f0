// Secrets of bundles and deployments that belong to nobody any more.
import type { KubeObject } from '../../lib/kube/types.ts'
import type { SecretMetadata } from './hub-state.ts'

/** Those that are on their way out, have no owner, or an owner that is gone or was made anew. */
export function orphanedSecrets(
  secrets: readonly SecretMetadata[],
  bundles: readonly KubeObject[],
  deployments: readonly KubeObject[],
): SecretMetadata[] {
  const owners = new Set([...bundles.map((bundle) => ownerKey('Bundle', bundle)), ...deployments.map(deploymentKey)])
  return secrets.filter(({ metadata }) => {
    const owner = metadata.ownerReferences?.[0]
    if (metadata.deletionTimestamp || !owner) return true
    return !owners.has(`${owner.kind}/${metadata.namespace}/${owner.name}/${owner.uid}`)
  })
}

/** Of the orphaned ones those that name an owner: they are never collected, or will be against expectation. */
export function hasInvalidOwner({ metadata }: SecretMetadata): boolean {
  return !metadata.deletionTimestamp && (metadata.ownerReferences?.length ?? 0) > 0
}

function deploymentKey(deployment: KubeObject): string {
  return ownerKey('BundleDeployment', deployment)
}

function ownerKey(kind: string, { metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace}/${metadata.name}/${metadata.uid}`
}
