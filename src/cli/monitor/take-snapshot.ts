// From the objects of a hub to a snapshot of it. Pure: the order of lists is that of the objects.
import type { Content } from '../../api/content.ts'
import { isOlderVersion } from '../../lib/kube/resource-version.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { contentIssues, lacksContent } from './content-issues.ts'
import {
  bundleKeyOf,
  byKey,
  gitRepoKeyOf,
  hasAgentIssue,
  hasCommitMismatch,
  hasGenerationMismatch,
  isBehindGitRepo,
  isDeleting,
  isLarge,
  isStuck,
  isUnpolled,
  missesForcedSync,
  withSeveralFinalizers,
} from './diagnostics.ts'
import type { Event, HubState, SecretMetadata } from './hub-state.ts'
import {
  bundleInfo,
  clusterGroupInfo,
  clusterInfo,
  contentInfo,
  deploymentInfo,
  eventInfo,
  gitRepoInfo,
  lastSeenAt,
  podInfo,
  secretInfo,
} from './infos.ts'
import { hasInvalidOwner, orphanedSecrets } from './orphaned-secrets.ts'
import type { ApiConsistency, ContentIssue, Diagnostics, EventInfo, Snapshot } from './snapshot.ts'

/** How many events a snapshot has. */
const RECENT_EVENTS = 20

/** The snapshot of a hub; `now` in milliseconds. Empty lists are left out. */
export function takeSnapshot(state: HubState, now: number): Snapshot {
  const orphaned = orphanedSecrets(state.secrets, state.bundles, state.deployments)
  const issues = contentIssues(state.deployments, contentsByName(state))
  return {
    timestamp: `${new Date(now).toISOString().slice(0, -5)}Z`,
    controller: filled(state.pods, podInfo),
    gitrepos: filled(state.gitRepos, gitRepoInfo),
    bundles: filled(state.bundles, bundleInfo),
    bundledeployments: filled(state.deployments, deploymentInfo),
    contents: filled(state.contents, contentInfo),
    clusters: filled(state.clusters, (cluster) => clusterInfo(cluster, now)),
    clustergroups: filled(state.clusterGroups, clusterGroupInfo),
    bundleSecrets: filled(state.secrets, secretInfo),
    orphanedSecrets: filled(orphaned, secretInfo),
    contentIssues: issues.length > 0 ? issues : undefined,
    apiConsistency: consistency(state.versions),
    recentEvents: recentEvents(state.events),
    diagnostics: diagnose(state, orphaned, issues, now),
  }
}

function diagnose(state: HubState, orphaned: readonly SecretMetadata[], issues: readonly ContentIssue[], now: number): Diagnostics {
  const { gitRepos, bundles, deployments, contents, clusters, clusterGroups } = state
  const [knownRepos, knownBundles, knownContents] = [byKey(gitRepos), byKey(bundles), contentsByName(state)]
  const usedRepos = new Set(bundles.map(gitRepoKeyOf))
  const usedBundles = new Set(deployments.map(bundleKeyOf))
  const behind = bundles.filter((bundle) => isBehindGitRepo(bundle, knownRepos))
  const severalFinalizers = [
    ...withSeveralFinalizers('GitRepo', gitRepos),
    ...withSeveralFinalizers('Bundle', bundles),
    ...withSeveralFinalizers('BundleDeployment', deployments),
  ]
  const invalidOwners = orphaned.filter(hasInvalidOwner)
  const isMissing = (key: string | undefined, known: ReadonlyMap<string, KubeObject>): boolean => key !== undefined && !known.has(key)
  return {
    stuckBundleDeployments: filled(deployments.filter(isStuck), deploymentInfo),
    gitRepoBundleInconsistencies: filled(behind, bundleInfo),
    invalidSecretOwners: filled(invalidOwners, secretInfo),
    resourcesWithMultipleFinalizers: severalFinalizers.length > 0 ? severalFinalizers : undefined,
    largeBundles: filled(bundles.filter(isLarge), bundleInfo),
    bundlesWithMissingContent: filled(
      bundles.filter((bundle) => lacksContent(bundle, knownContents)),
      bundleInfo,
    ),
    bundlesWithNoDeployments: filled(
      bundles.filter(({ metadata }) => !usedBundles.has(`${metadata.namespace}/${metadata.name}`)),
      bundleInfo,
    ),
    gitReposWithNoBundles: filled(
      gitRepos.filter(({ metadata }) => !usedRepos.has(`${metadata.namespace}/${metadata.name}`)),
      gitRepoInfo,
    ),
    clustersWithAgentIssues: filled(
      clusters.filter((cluster) => hasAgentIssue(cluster, now)),
      (cluster) => clusterInfo(cluster, now),
    ),
    clusterGroupsWithNoClusters: filled(
      clusterGroups.filter(({ status }) => !status?.clusterCount),
      clusterGroupInfo,
    ),
    bundlesWithMissingGitRepo: filled(
      bundles.filter((bundle) => isMissing(gitRepoKeyOf(bundle), knownRepos)),
      bundleInfo,
    ),
    bundleDeploymentsWithMissingBundle: filled(
      deployments.filter((deployment) => isMissing(bundleKeyOf(deployment), knownBundles)),
      deploymentInfo,
    ),
    gitReposWithCommitMismatch: filled(gitRepos.filter(hasCommitMismatch), gitRepoInfo),
    gitReposWithGenerationMismatch: filled(gitRepos.filter(hasGenerationMismatch), gitRepoInfo),
    gitReposUnpolled: filled(
      gitRepos.filter((gitRepo) => isUnpolled(gitRepo, now)),
      gitRepoInfo,
    ),
    bundlesWithGenerationMismatch: filled(bundles.filter(hasGenerationMismatch), bundleInfo),
    bundleDeploymentsWithSyncGenerationMismatch: filled(deployments.filter(missesForcedSync), deploymentInfo),
    orphanedSecretsCount: orphaned.length || undefined,
    invalidSecretOwnersCount: invalidOwners.length || undefined,
    contentIssuesCount: issues.length || undefined,
    gitRepoBundleInconsistenciesCount: behind.length || undefined,
    resourcesWithMultipleFinalizersCount: severalFinalizers.length || undefined,
    bundlesWithDeletionTimestamp: bundles.filter(isDeleting).length || undefined,
    bundleDeploymentsWithDeletionTimestamp: deployments.filter(isDeleting).length || undefined,
    contentsWithDeletionTimestamp: contents.filter(isDeleting).length || undefined,
    contentsWithZeroReferenceCount: contents.filter(isUnused).length || undefined,
  }
}

function isUnused(content: Content): boolean {
  return !isDeleting(content) && !content.status?.referenceCount
}

function contentsByName({ contents }: HubState) {
  return new Map(contents.map((content) => [content.metadata.name, content]))
}

function filled<T, R>(objects: readonly T[], info: (object: T) => R): R[] | undefined {
  return objects.length > 0 ? objects.map((object) => info(object)) : undefined
}

function consistency(versions: readonly string[]): ApiConsistency | undefined {
  if (versions.length === 0) return undefined
  return { consistent: !versions.some((version, index) => isOlderVersion(version, versions[index - 1])), versions }
}

/** The newest events, oldest of them first. */
function recentEvents(events: readonly Event[]): EventInfo[] | undefined {
  const timeOf = (event: Event): number => Date.parse(lastSeenAt(event) ?? '') || 0
  return filled(events.toSorted((a, b) => timeOf(a) - timeOf(b)).slice(-RECENT_EVENTS), eventInfo)
}
