// What an explanation is made from, and what it consists of. All of it is plain JSON.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { BundleNamespaceMapping } from '../api/bundle-namespace-mapping.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { GitRepoRestriction } from '../api/git-repo-restriction.ts'
import type { HelmOp } from '../api/helm-op.ts'
import type { Policy } from '../api/policy.ts'
import type { Schedule } from '../api/schedule.ts'
import type { NamespaceLike } from '../target/candidates.ts'

export const SUBJECT_KINDS = ['GitRepo', 'HelmOp', 'Bundle', 'BundleDeployment', 'Cluster'] as const
export type SubjectKind = (typeof SUBJECT_KINDS)[number]

/** What is asked about. */
export interface Subject {
  readonly kind: SubjectKind
  readonly namespace: string
  readonly name: string
  /** Only this cluster, by the name or the display name of its Cluster. */
  readonly cluster?: string | undefined
}

/**
 * What is known of the hub. Lists that are absent are empty, but for those that say something else. More than the subject needs does no harm;
 * files and values of bundles are not looked at.
 */
export interface ExplainObjects {
  readonly gitRepos?: readonly GitRepo[] | undefined
  readonly helmOps?: readonly HelmOp[] | undefined
  readonly bundles?: readonly Bundle[] | undefined
  readonly bundleDeployments?: readonly BundleDeployment[] | undefined
  readonly clusters?: readonly Cluster[] | undefined
  readonly clusterGroups?: readonly ClusterGroup[] | undefined
  readonly registrations?: readonly ClusterRegistration[] | undefined
  readonly restrictions?: readonly GitRepoRestriction[] | undefined
  readonly policies?: readonly Policy[] | undefined
  readonly schedules?: readonly Schedule[] | undefined
  readonly mappings?: readonly BundleNamespaceMapping[] | undefined
  /** With their labels; only needed where there are mappings. */
  readonly namespaces?: readonly NamespaceLike[] | undefined
  /** Names of the Contents that exist; absent: not known. */
  readonly contents?: ReadonlySet<string> | undefined
  /** How often agents report, in milliseconds; 15 minutes if absent. */
  readonly checkinIntervalMs?: number | undefined
}

/** In the order in which a change travels; `registration` only stands in explanations of clusters. */
export const LINKS = ['registration', 'source', 'bundle', 'target', 'rollout', 'agent', 'apply', 'health'] as const
export type LinkName = (typeof LINKS)[number]

/**
 * - `ok`: done
 * - `waiting`: goes on by itself
 * - `blocked`: stays so until somebody acts
 * - `unknown`: not reached, or nobody can tell at the moment
 */
export type LinkState = 'ok' | 'waiting' | 'blocked' | 'unknown'

/** What several clusters or bundles have in common at a link. */
export interface ExplanationGroup {
  readonly state: Exclude<LinkState, 'ok'>
  /** One word for programs, such as `AgentOffline`. */
  readonly reason: string
  /** For people, about the first example. */
  readonly message: string
  readonly count: number
  readonly total: number
  readonly unit: 'clusters' | 'bundles' | 'deployments'
  /** The first names, sorted. */
  readonly examples: readonly string[]
  /** The earliest, RFC 3339. */
  readonly since?: string | undefined
  readonly nextTry?: string | undefined
}

export interface ExplanationLink {
  readonly name: LinkName
  readonly state: LinkState
  readonly reason?: string | undefined
  /** What it waits for and what to do about it; for `ok` links what was found. */
  readonly message: string
  /** RFC 3339 */
  readonly since?: string | undefined
  /** When it is tried next; absent: when something changes, or not known. */
  readonly nextTry?: string | undefined
  /** The first ones, those most worth looking at first. Absent where there is but one case. */
  readonly groups?: readonly ExplanationGroup[] | undefined
}

/** `missing`: the subject does not exist. Otherwise the worst state of a link; `ok` means deployed and ready everywhere. */
export type Verdict = LinkState | 'missing'

export interface Explanation {
  readonly subject: Subject
  readonly verdict: Verdict
  readonly links: readonly ExplanationLink[]
  /** The first link that blocks; where nothing blocks, the first that waits for something of its own. */
  readonly blocking?: ExplanationLink | undefined
}
