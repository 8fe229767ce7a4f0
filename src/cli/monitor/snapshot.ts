// The shape of a snapshot: what `fleet monitor` prints, one line of JSON each, and `fleet analyze` reads (spec 9.1). The names are part of the contract;
// lists that are empty and values that are unknown are left out.

/** A pod of the hub. */
export interface ControllerInfo {
  readonly name: string
  /** Of all its containers. */
  readonly restarts: number
  /** Phase of the pod. */
  readonly status: string
  /** RFC 3339, as all times here. */
  readonly startTime?: string | undefined
}

/** What every entry about an object of a namespace begins with. */
interface Named {
  readonly namespace: string
  readonly name: string
}

/** The Ready condition of an object. */
interface Readiness {
  readonly ready: boolean
  /** Why not. */
  readonly readyMessage?: string | undefined
}

export interface GitRepoInfo extends Named, Readiness {
  readonly generation: number
  readonly observedGeneration?: number | undefined
  readonly commit?: string | undefined
  readonly pollingCommit?: string | undefined
  readonly webhookCommit?: string | undefined
  readonly lastPollingTime?: string | undefined
  /** Nanoseconds. */
  readonly pollingInterval?: number | undefined
  readonly forceSyncGeneration?: number | undefined
}

export interface BundleInfo extends Named, Readiness {
  readonly uid: string
  readonly generation: number
  readonly observedGeneration?: number | undefined
  readonly commit?: string | undefined
  readonly repoName?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly forceSyncGeneration?: number | undefined
  readonly resourcesSHA256Sum?: string | undefined
  /** Of the whole object as JSON. */
  readonly sizeBytes?: number | undefined
  readonly deletionTimestamp?: string | undefined
  readonly finalizers?: readonly string[] | undefined
  readonly errorMessage?: string | undefined
}

export interface BundleDeploymentInfo extends Named, Readiness {
  readonly uid: string
  readonly generation: number
  readonly commit?: string | undefined
  readonly forceSyncGeneration?: number | undefined
  /** The forceSyncGeneration that the agent has seen. */
  readonly syncGeneration?: number | undefined
  readonly deploymentID?: string | undefined
  readonly stagedDeploymentID?: string | undefined
  readonly appliedDeploymentID?: string | undefined
  readonly waitingForValues: boolean
  readonly deletionTimestamp?: string | undefined
  readonly finalizers?: readonly string[] | undefined
  readonly errorMessage?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly bundleName?: string | undefined
  readonly bundleNamespace?: string | undefined
}

export interface ContentInfo {
  readonly name: string
  /** Bytes, compressed. */
  readonly size?: number | undefined
  readonly deletionTimestamp?: string | undefined
  readonly finalizers?: readonly string[] | undefined
  readonly referenceCount?: number | undefined
}

export interface ClusterInfo extends Named, Readiness {
  readonly agentNamespace?: string | undefined
  readonly agentLastSeen?: string | undefined
  /** As Go writes durations: `1h2m3s`. */
  readonly agentLastSeenAge?: string | undefined
  readonly bundleDeployments?: number | undefined
  readonly readyBundleDeployments?: number | undefined
}

export interface ClusterGroupInfo extends Named {
  readonly clusterCount: number
  readonly selector?: string | undefined
}

export interface SecretInfo extends Named {
  readonly type: string
  readonly commit?: string | undefined
  readonly deletionTimestamp?: string | undefined
  readonly finalizers?: readonly string[] | undefined
  readonly ownerKind?: string | undefined
  readonly ownerName?: string | undefined
  readonly ownerUID?: string | undefined
}

export interface EventInfo {
  readonly namespace: string
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly involvedKind: string
  readonly involvedName: string
  readonly count: number
  readonly lastTimestamp?: string | undefined
}

/** A BundleDeployment whose files are not there. */
export interface ContentIssue extends Named {
  readonly contentName?: string | undefined
  readonly stagedContentName?: string | undefined
  readonly appliedContentName?: string | undefined
  readonly contentExists?: boolean | undefined
  readonly contentDeletionTimestamp?: string | undefined
  readonly stagedContentExists?: boolean | undefined
  readonly appliedContentExists?: boolean | undefined
  /** `content_not_found`, `content_has_deletion_timestamp`, `staged_content_not_found`, `applied_content_not_found` */
  readonly issues: readonly string[]
}

/** Whether reading the same object several times ever gave an older version than before. */
export interface ApiConsistency {
  readonly consistent: boolean
  readonly versions: readonly string[]
}

export interface ResourceWithFinalizers extends Named {
  readonly kind: string
  readonly finalizers: readonly string[]
  readonly finalizerCount: number
  readonly deletionTimestamp?: string | undefined
}

/** What is wrong, by kind of trouble. */
export interface Diagnostics {
  readonly stuckBundleDeployments?: readonly BundleDeploymentInfo[] | undefined
  readonly gitRepoBundleInconsistencies?: readonly BundleInfo[] | undefined
  readonly invalidSecretOwners?: readonly SecretInfo[] | undefined
  readonly resourcesWithMultipleFinalizers?: readonly ResourceWithFinalizers[] | undefined
  readonly largeBundles?: readonly BundleInfo[] | undefined
  readonly bundlesWithMissingContent?: readonly BundleInfo[] | undefined
  readonly bundlesWithNoDeployments?: readonly BundleInfo[] | undefined
  readonly gitReposWithNoBundles?: readonly GitRepoInfo[] | undefined
  readonly clustersWithAgentIssues?: readonly ClusterInfo[] | undefined
  readonly clusterGroupsWithNoClusters?: readonly ClusterGroupInfo[] | undefined
  readonly bundlesWithMissingGitRepo?: readonly BundleInfo[] | undefined
  readonly bundleDeploymentsWithMissingBundle?: readonly BundleDeploymentInfo[] | undefined
  readonly gitReposWithCommitMismatch?: readonly GitRepoInfo[] | undefined
  readonly gitReposWithGenerationMismatch?: readonly GitRepoInfo[] | undefined
  readonly gitReposUnpolled?: readonly GitRepoInfo[] | undefined
  readonly bundlesWithGenerationMismatch?: readonly BundleInfo[] | undefined
  readonly bundleDeploymentsWithSyncGenerationMismatch?: readonly BundleDeploymentInfo[] | undefined
  readonly orphanedSecretsCount?: number | undefined
  readonly invalidSecretOwnersCount?: number | undefined
  readonly contentIssuesCount?: number | undefined
  readonly gitRepoBundleInconsistenciesCount?: number | undefined
  readonly resourcesWithMultipleFinalizersCount?: number | undefined
  readonly bundlesWithDeletionTimestamp?: number | undefined
  readonly bundleDeploymentsWithDeletionTimestamp?: number | undefined
  readonly contentsWithDeletionTimestamp?: number | undefined
  readonly contentsWithZeroReferenceCount?: number | undefined
}

/** The state of a hub at one moment. */
export interface Snapshot {
  readonly timestamp: string
  readonly controller?: readonly ControllerInfo[] | undefined
  readonly gitrepos?: readonly GitRepoInfo[] | undefined
  readonly bundles?: readonly BundleInfo[] | undefined
  readonly bundledeployments?: readonly BundleDeploymentInfo[] | undefined
  readonly contents?: readonly ContentInfo[] | undefined
  readonly clusters?: readonly ClusterInfo[] | undefined
  readonly clustergroups?: readonly ClusterGroupInfo[] | undefined
  readonly bundleSecrets?: readonly SecretInfo[] | undefined
  readonly orphanedSecrets?: readonly SecretInfo[] | undefined
  readonly contentIssues?: readonly ContentIssue[] | undefined
  readonly apiConsistency?: ApiConsistency | undefined
  readonly recentEvents?: readonly EventInfo[] | undefined
  readonly diagnostics?: Diagnostics | undefined
}
