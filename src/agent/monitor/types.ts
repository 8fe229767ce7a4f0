// What the monitor is told of a deployment, and what it says of it.
import type { BundleDeploymentOptions } from '../../api/bundle-deployment-options.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

/** One deployment as it was applied. */
export interface MonitorInput {
  /** the objects of the release, stamped; hooks are not among them */
  readonly objects: readonly KubeObject[]
  /** the objects of the revision before, for what is left over of it */
  readonly previousObjects?: readonly KubeObject[]
  /** value of the label objectset.rio.cattle.io/hash */
  readonly setHash: string
  readonly options: BundleDeploymentOptions
  /** where namespaced objects without a namespace live */
  readonly releaseNamespace: string
  /** the client with the rights of this deployment: everything but the watches is read with it */
  readonly client: KubeClient
}

export interface NonReadyResource {
  uid: string
  kind: string
  apiVersion: string
  namespace?: string
  name: string
  summary: { state?: string; error?: boolean; transitioning?: boolean; message?: string[] }
}

/** Exactly one of `missing`, `delete` and `patch` is set (spec 1.5). */
export interface ModifiedResource {
  kind: string
  apiVersion: string
  namespace?: string
  name: string
  missing?: boolean
  exist?: boolean
  delete?: boolean
  patch?: string
}

export interface LiveResource {
  kind: string
  apiVersion: string
  namespace?: string
  name: string
  createdAt: string
}

/** The fields of BundleDeployment.status that come from live objects (spec 7.6); lists are sorted and capped. */
export interface LiveState {
  readonly ready: boolean
  readonly nonModified: boolean
  readonly nonReadyStatus: readonly NonReadyResource[]
  readonly modifiedStatus: readonly ModifiedResource[]
  /** nonReadyStatus or modifiedStatus was cut; resources may be cut without it */
  readonly incompleteState: boolean
  readonly resources: readonly LiveResource[]
  /** counts of 0 are left out */
  readonly resourceCounts: Readonly<Record<string, number>>
}
