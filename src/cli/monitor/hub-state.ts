// What a snapshot is made of: the objects as they were read, made small while they came in.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterGroup } from '../../api/cluster-group.ts'
import type { Content } from '../../api/content.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

/** A Bundle without its files, and how large it is with them. */
export interface SizedBundle extends Bundle {
  readonly sizeBytes: number
}

/** A Content without its bytes, and how many they are. */
export interface SizedContent extends Content {
  readonly sizeBytes: number
}

/** A secret without its data. */
export interface SecretMetadata extends KubeObject {
  readonly type: string
}

export interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string
    readonly startTime?: string
    readonly containerStatuses?: readonly { readonly restartCount?: number }[]
  }
}

export interface Event extends KubeObject {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly involvedObject?: { readonly apiVersion?: string; readonly kind?: string; readonly name?: string }
  readonly count?: number | null
  readonly lastTimestamp?: string | null
  readonly eventTime?: string | null
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string } | null
}

export interface HubState {
  readonly pods: readonly Pod[]
  readonly gitRepos: readonly GitRepo[]
  readonly bundles: readonly SizedBundle[]
  readonly deployments: readonly BundleDeployment[]
  readonly contents: readonly SizedContent[]
  readonly clusters: readonly Cluster[]
  readonly clusterGroups: readonly ClusterGroup[]
  readonly secrets: readonly SecretMetadata[]
  readonly events: readonly Event[]
  /** Versions of one and the same object, in the order in which they were read. */
  readonly versions: readonly string[]
}

/** The bundle as it is kept: hundreds of them, a megabyte each, would not fit into memory. */
export function sizedBundle(bundle: Bundle): SizedBundle {
  const { resources: _, ...spec } = bundle.spec
  return { ...bundle, spec, sizeBytes: jsonBytes(bundle) }
}

/** The content as it is kept. */
export function sizedContent({ content, ...rest }: Content): SizedContent {
  return { ...rest, sizeBytes: content ? Buffer.byteLength(content, 'base64') : 0 }
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
