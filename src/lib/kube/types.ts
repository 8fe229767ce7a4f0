// Shapes of Kubernetes objects that everything else builds on. Nothing here is specific to one kind.

/** A `metadata.ownerReferences` entry. */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** Object metadata, without `managedFields`: they are dropped on arrival. Times are RFC 3339 text. */
export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  generateName?: string
}

/** The least that every object has. Kinds extend it with `spec` and `status`. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** A kind: `{ apiVersion: 'apps/v1', kind: 'Deployment' }`. */
export interface ResourceType {
  apiVersion: string
  kind: string
}

/** One object of a kind. Without a namespace: a cluster-scoped object, or the namespace of the connection for namespaced kinds. */
export interface ObjectRef extends ResourceType {
  name: string
  namespace?: string
}

/** A `metav1.LabelSelector`. */
export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}
