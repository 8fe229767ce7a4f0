// Kinds of Kubernetes that registration deals with, as far as it reads them.
import type { KubeObject, OwnerReference } from '../lib/kube/types.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'

export const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' } as const
export const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const
export const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const
export const SERVICE_ACCOUNT = { apiVersion: 'v1', kind: 'ServiceAccount' } as const
export const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const
export const ROLE = { apiVersion: RBAC, kind: 'Role' } as const
export const ROLE_BINDING = { apiVersion: RBAC, kind: 'RoleBinding' } as const
export const CLUSTER_ROLE = { apiVersion: RBAC, kind: 'ClusterRole' } as const
export const CLUSTER_ROLE_BINDING = { apiVersion: RBAC, kind: 'ClusterRoleBinding' } as const

/** Values of `data` are base64. */
export interface Secret extends KubeObject {
  readonly type?: string | undefined
  readonly data?: Readonly<Record<string, string>> | null | undefined
}

interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

interface RoleObject extends KubeObject {
  readonly rules: readonly PolicyRule[]
}

/** A name in a namespace, such as that of a service account. */
export interface NamespacedName {
  readonly name: string
  readonly namespace: string
}

interface BindingObject extends KubeObject {
  readonly roleRef: { readonly apiGroup: string; readonly kind: string; readonly name: string }
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[]
}

/** A Role in a namespace, or a ClusterRole without one. */
export function roleObject(metadata: KubeObject['metadata'], rules: readonly PolicyRule[]): RoleObject {
  return { ...(metadata.namespace ? ROLE : CLUSTER_ROLE), metadata, rules }
}

/** A binding of a service account: in a namespace, or to all without one. */
export function bindingObject(
  metadata: KubeObject['metadata'],
  role: { readonly kind: 'Role' | 'ClusterRole'; readonly name: string },
  account: NamespacedName,
): BindingObject {
  return {
    ...(metadata.namespace ? ROLE_BINDING : CLUSTER_ROLE_BINDING),
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role.kind, name: role.name },
    subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
  }
}

/** A secret of texts. */
export function secretObject(metadata: KubeObject['metadata'], data: Readonly<Record<string, string | Uint8Array>>, type?: string): Secret {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value as string).toString('base64')])
  return { ...SECRET, metadata, ...(type ? { type } : {}), data: Object.fromEntries(encoded) }
}

/** The text under a key; empty if there is none. */
export function secretText(secret: Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8')
}

/** A reference that lets an object go with its owner, and neither controls nor blocks anything. */
export function ownedBy({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' }
}
