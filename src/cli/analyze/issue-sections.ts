// The kinds of trouble that a snapshot tells of, and what there is to say about each case.

import { formatDuration } from '../../lib/duration/duration.ts'
import type {
  BundleDeploymentInfo,
  BundleInfo,
  ClusterInfo,
  ContentIssue,
  Diagnostics,
  GitRepoInfo,
  ResourceWithFinalizers,
  SecretInfo,
  Snapshot,
} from '../monitor/snapshot.ts'
import { kilobytes, short } from './layout.ts'

/** One object with a trouble. */
interface Issue {
  /** `namespace/name`, with remarks */
  readonly text: string
  readonly details: readonly string[]
}

export interface IssueSection {
  readonly title: string
  /** nothing is deployed as it should, or something will not heal by itself */
  readonly isError: boolean
  readonly issues: readonly Issue[]
}

/** All kinds, those without a case too. */
export function issueSections({ diagnostics: found = {}, contentIssues }: Snapshot): IssueSection[] {
  return [...errors(found, contentIssues), ...warnings(found)]
}

function errors(found: Diagnostics, contentIssues: readonly ContentIssue[] | undefined): IssueSection[] {
  return [
    section('Stuck BundleDeployments', true, found.stuckBundleDeployments, stuck),
    section('GitRepo/Bundle Inconsistencies', true, found.gitRepoBundleInconsistencies, behind),
    section('Content Issues', true, contentIssues, missingContent),
    section('Clusters with Agent Issues', true, found.clustersWithAgentIssues, silentAgent),
    section('BundleDeployments with Missing Bundle', true, found.bundleDeploymentsWithMissingBundle, ({ bundleNamespace, bundleName }) => ({
      details: [`Bundle: ${bundleNamespace ?? ''}/${bundleName ?? ''}`],
    })),
    section('Bundles with Missing GitRepo', true, found.bundlesWithMissingGitRepo, ({ repoName }) => ({
      remarks: [`GitRepo: ${repoName}`],
    })),
    section('Secrets with Invalid Owner', true, found.invalidSecretOwners, formerOwner),
  ]
}

function warnings(found: Diagnostics): IssueSection[] {
  return [
    section('Bundles with No Deployments', false, found.bundlesWithNoDeployments),
    section('GitRepos with No Bundles', false, found.gitReposWithNoBundles, ({ readyMessage }) => ({ details: listed(readyMessage) })),
    section('ClusterGroups with No Clusters', false, found.clusterGroupsWithNoClusters, ({ selector }) => ({
      remarks: selector ? [`selector: ${selector}`] : [],
    })),
    section('Large Bundles (>1MB)', false, found.largeBundles, ({ sizeBytes = 0 }) => ({ remarks: [kilobytes(sizeBytes)] })),
    section('Bundles with Missing Content', false, found.bundlesWithMissingContent),
    section('GitRepos last polled too long ago', false, found.gitReposUnpolled, lastPoll),
    section('GitRepos with Commit Mismatch', false, found.gitReposWithCommitMismatch, commits),
    section('GitRepos with Generation Mismatch', false, found.gitReposWithGenerationMismatch, generations),
    section('Bundles with Generation Mismatch', false, found.bundlesWithGenerationMismatch, generations),
    section('BundleDeployments with SyncGeneration Mismatch', false, found.bundleDeploymentsWithSyncGenerationMismatch, (deployment) => ({
      remarks: [`sync: ${deployment.syncGeneration ?? 'none'}, wanted: ${deployment.forceSyncGeneration ?? 0}`],
    })),
    section('Resources with Multiple Finalizers', false, found.resourcesWithMultipleFinalizers, severalFinalizers),
  ]
}

interface Told {
  readonly remarks?: readonly string[]
  readonly details?: readonly string[]
}

function section<T extends { readonly namespace: string; readonly name: string }>(
  title: string,
  isError: boolean,
  objects: readonly T[] | undefined,
  tell: (object: T) => Told = () => ({}),
): IssueSection {
  const issues = (objects ?? []).map((object) => {
    const { remarks = [], details = [] } = tell(object)
    return { text: `${object.namespace}/${object.name}${remarks.map((remark) => ` (${remark})`).join('')}`, details }
  })
  return { title, isError, issues }
}

function stuck(deployment: BundleDeploymentInfo): Told {
  const { deploymentID, appliedDeploymentID, forceSyncGeneration = 0, syncGeneration, deletionTimestamp, finalizers } = deployment
  const isOld = (deploymentID ?? '') !== (appliedDeploymentID ?? '')
  const isUnsynced = forceSyncGeneration > 0 && syncGeneration !== forceSyncGeneration
  return {
    remarks: deployment.waitingForValues ? ['waiting for values'] : [],
    details: [
      ...(isOld ? [`DeploymentID: ${short(deploymentID)} != AppliedDeploymentID: ${short(appliedDeploymentID)}`] : []),
      ...(isUnsynced ? [`SyncGeneration: ${syncGeneration ?? 'none'} != ForceSyncGeneration: ${forceSyncGeneration}`] : []),
      ...(deletionTimestamp ? [`Deleted: ${deletionTimestamp}, kept by: ${finalizers?.join(', ') ?? 'nobody'}`] : []),
      ...listed(deployment.readyMessage ?? deployment.errorMessage),
    ],
  }
}

function behind({ commit, forceSyncGeneration }: BundleInfo): Told {
  return {
    details: [
      ...(commit ? [`Commit: ${short(commit)}`] : []),
      ...(forceSyncGeneration ? [`ForceSyncGeneration: ${forceSyncGeneration}`] : []),
    ],
  }
}

function missingContent({ contentName, stagedContentName, appliedContentName, issues }: ContentIssue): Told {
  const names = [contentName, stagedContentName, appliedContentName].filter((name) => name !== undefined)
  return { details: [`${issues.join(', ')}: ${names.map(short).join(', ')}`] }
}

function silentAgent({ ready, readyMessage, agentLastSeenAge }: ClusterInfo): Told {
  const seen = agentLastSeenAge ? `Last seen: ${agentLastSeenAge} ago` : 'Never seen'
  return { remarks: ready ? [seen] : ['Not Ready', seen], details: listed(readyMessage) }
}

function formerOwner({ ownerKind, ownerName, ownerUID }: SecretInfo): Told {
  return { details: [`Owner: ${ownerKind ?? ''} ${ownerName ?? ''} (${ownerUID ?? ''}) does not exist`] }
}

function lastPoll({ lastPollingTime, pollingInterval = 0 }: GitRepoInfo): Told {
  return {
    remarks: [`last polled: ${lastPollingTime ?? 'never'}, polling interval: ${formatDuration(BigInt(Math.round(pollingInterval)))}`],
  }
}

function commits({ commit, pollingCommit, webhookCommit }: GitRepoInfo): Told {
  return { remarks: [`polling: ${pollingCommit ?? 'none'}, webhook: ${webhookCommit ?? 'none'}, status commit: ${commit ?? 'none'}`] }
}

function generations({ generation, observedGeneration = 0 }: GitRepoInfo | BundleInfo): Told {
  return { remarks: [`gen: ${generation}, observed: ${observedGeneration}`] }
}

function severalFinalizers({ kind, finalizers }: ResourceWithFinalizers): Told {
  return { remarks: [kind], details: [`Finalizers: ${finalizers.join(', ')}`] }
}

function listed(message: string | undefined): string[] {
  return message ? [message] : []
}
