// Which ClusterRegistrations are of no use any more.
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import { keyOf } from '../../lib/controller/keys.ts'
import type { ObjectRef } from '../../lib/kube/types.ts'

/** A registration that can go, and why. */
export interface Outdated {
  readonly registration: ClusterRegistration
  /** as in `x was …` */
  readonly reason: string
}

/**
 * Those whose cluster is gone, and those older than the newest granted one of their cluster, granted or not (spec 12, 9.1): later ones may be
 * under way. What names no cluster yet stays. The clusters must have been read after the registrations.
 */
export function outdatedRegistrations(registrations: readonly ClusterRegistration[], clusters: readonly Cluster[]): Outdated[] {
  const known = new Set(clusters.map(keyOf))
  const newest = newestGranted(registrations)
  return registrations.flatMap((registration) => {
    const key = clusterKeyOf(registration)
    if (key === undefined || registration.metadata.deletionTimestamp) return []
    if (!known.has(key)) return [{ registration, reason: `made for cluster ${key}, which does not exist` }]
    if (madeAt(registration) < (newest.get(key) ?? 0)) return [{ registration, reason: `followed by a newer one of cluster ${key}` }]
    return []
  })
}

/** Cluster → when its newest granted registration was made. */
function newestGranted(registrations: readonly ClusterRegistration[]): Map<string, number> {
  const newest = new Map<string, number>()
  for (const registration of registrations) {
    const key = clusterKeyOf(registration)
    if (key === undefined || !registration.status?.granted) continue
    newest.set(key, Math.max(newest.get(key) ?? 0, madeAt(registration)))
  }
  return newest
}

function clusterKeyOf({ metadata, status }: ClusterRegistration): string | undefined {
  return status?.clusterName ? `${metadata.namespace}/${status.clusterName}` : undefined
}

function madeAt({ metadata }: ClusterRegistration): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0
}

/** Rights of the same name that old versions made for a registration: nothing owns them, so they do not go with it. */
export function leftoversOf({ metadata: { name, namespace } }: ClusterRegistration): ObjectRef[] {
  const place = { apiVersion: 'rbac.authorization.k8s.io/v1', name, ...(namespace ? { namespace } : {}) }
  return [
    { ...place, kind: 'Role' },
    { ...place, kind: 'RoleBinding' },
  ]
}
