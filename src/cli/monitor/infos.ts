// From an object to the few fields of it that a snapshot has.
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterGroup } from '../../api/cluster-group.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, COMMIT_LABEL, REPO_NAME_LABEL } from '../../api/labels.ts'
import { nonReadyText } from '../../api/status-text.ts'
import { type Condition, getCondition } from '../../lib/controller/conditions.ts'
import { formatDuration } from '../../lib/duration/duration.ts'
import { formatSelector } from '../../lib/kube/selectors.ts'
import type { KubeObject, LabelSelector } from '../../lib/kube/types.ts'
import { pollingIntervalMs } from '../../source/poll-schedule.ts'
import type { Event, Pod, SecretMetadata, SizedBundle, SizedContent } from './hub-state.ts'
import type {
  BundleDeploymentInfo,
  BundleInfo,
  ClusterGroupInfo,
  ClusterInfo,
  ContentInfo,
  ControllerInfo,
  EventInfo,
  GitRepoInfo,
  SecretInfo,
} from './snapshot.ts'

const NANOSECONDS_PER_MS = 1_000_000

export function podInfo({ metadata, status }: Pod): ControllerInfo {
  const restarts = (status?.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0)
  return { name: metadata.name, restarts, status: status?.phase ?? '', startTime: status?.startTime }
}

export function gitRepoInfo({ metadata, spec, status }: GitRepo): GitRepoInfo {
  return {
    ...nameOf(metadata),
    generation: metadata.generation ?? 0,
    observedGeneration: status?.observedGeneration || undefined,
    commit: status?.commit || undefined,
    pollingCommit: status?.pollingCommit || undefined,
    webhookCommit: status?.webhookCommit || undefined,
    lastPollingTime: status?.lastPollingTriggered ?? undefined,
    pollingInterval: pollingIntervalMs(spec.pollingInterval) * NANOSECONDS_PER_MS,
    forceSyncGeneration: spec.forceSyncGeneration || undefined,
    ...readiness(status?.conditions),
  }
}

export function bundleInfo({ metadata, spec, status, sizeBytes }: SizedBundle): BundleInfo {
  const { labels = {} } = metadata
  const { summary } = status ?? {}
  return {
    ...nameOf(metadata),
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    observedGeneration: status?.observedGeneration || undefined,
    commit: labels[COMMIT_LABEL],
    repoName: labels[REPO_NAME_LABEL],
    labels: metadata.labels,
    forceSyncGeneration: spec.forceSyncGeneration || undefined,
    resourcesSHA256Sum: status?.resourcesSha256Sum || undefined,
    sizeBytes,
    ...lifeOf(metadata),
    ...readiness(status?.conditions),
    errorMessage: (summary?.notReady && summary.nonReadyResources?.[0]?.message) || undefined,
  }
}

export function deploymentInfo({ metadata, spec, status }: BundleDeployment): BundleDeploymentInfo {
  const { labels = {} } = metadata
  const broken = status?.nonReadyStatus?.[0]
  return {
    ...nameOf(metadata),
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    commit: labels[COMMIT_LABEL],
    forceSyncGeneration: spec.options?.forceSyncGeneration || undefined,
    syncGeneration: status?.syncGeneration ?? undefined,
    deploymentID: spec.deploymentID || undefined,
    stagedDeploymentID: spec.stagedDeploymentID || undefined,
    appliedDeploymentID: status?.appliedDeploymentID || undefined,
    waitingForValues: spec.waitingForValues ?? false,
    ...lifeOf(metadata),
    ...readiness(status?.conditions),
    errorMessage: broken ? nonReadyText(broken) : undefined,
    labels: metadata.labels,
    bundleName: labels[BUNDLE_NAME_LABEL],
    bundleNamespace: labels[BUNDLE_NAMESPACE_LABEL],
  }
}

export function contentInfo({ metadata, status, sizeBytes }: SizedContent): ContentInfo {
  return { name: metadata.name, size: sizeBytes || undefined, ...lifeOf(metadata), referenceCount: status?.referenceCount || undefined }
}

/** `now` in milliseconds. */
export function clusterInfo({ metadata, status }: Cluster, now: number): ClusterInfo {
  const lastSeen = status?.agent?.lastSeen ?? undefined
  return {
    ...nameOf(metadata),
    agentNamespace: status?.agent?.namespace || undefined,
    agentLastSeen: lastSeen,
    agentLastSeenAge: ageText(now - Date.parse(lastSeen ?? '')),
    ...readiness(status?.conditions),
    bundleDeployments: status?.summary?.desiredReady || undefined,
    readyBundleDeployments: status?.summary?.ready || undefined,
  }
}

export function clusterGroupInfo({ metadata, spec, status }: ClusterGroup): ClusterGroupInfo {
  return { ...nameOf(metadata), clusterCount: status?.clusterCount ?? 0, selector: selectorText(spec.selector) || undefined }
}

export function secretInfo({ metadata, type }: SecretMetadata): SecretInfo {
  const owner = metadata.ownerReferences?.[0]
  return {
    ...nameOf(metadata),
    type,
    commit: metadata.labels?.[COMMIT_LABEL],
    ...lifeOf(metadata),
    ownerKind: owner?.kind,
    ownerName: owner?.name,
    ownerUID: owner?.uid,
  }
}

export function eventInfo(event: Event): EventInfo {
  const { metadata, type = '', reason = '', message = '', involvedObject = {}, count, series } = event
  return {
    namespace: metadata.namespace ?? '',
    type,
    reason,
    message,
    involvedKind: involvedObject.kind ?? '',
    involvedName: involvedObject.name ?? '',
    count: count || series?.count || 1,
    lastTimestamp: lastSeenAt(event),
  }
}

/** When an event happened last; old and new ways to write events differ in where they say so. */
export function lastSeenAt({ metadata, lastTimestamp, series, eventTime }: Event): string | undefined {
  return lastTimestamp ?? series?.lastObservedTime ?? eventTime ?? metadata.creationTimestamp
}

/** Namespace and name; an empty namespace for what has none. */
export function nameOf({ namespace = '', name }: KubeObject['metadata']): { namespace: string; name: string } {
  return { namespace, name }
}

function lifeOf({ deletionTimestamp, finalizers }: KubeObject['metadata']) {
  return { deletionTimestamp, finalizers: finalizers?.length ? finalizers : undefined }
}

function readiness(conditions: readonly Condition[] | null | undefined): { ready: boolean; readyMessage?: string | undefined } {
  const condition = getCondition(conditions, 'Ready')
  const ready = condition?.status === 'True'
  return { ready, readyMessage: ready ? undefined : condition?.message || undefined }
}

/** Whole seconds, such as `1h2m3s`. */
function ageText(ms: number): string | undefined {
  return Number.isFinite(ms) ? formatDuration(BigInt(Math.round(ms / 1_000)) * 1_000_000_000n) : undefined
}

function selectorText(selector: unknown): string {
  try {
    return selector ? formatSelector(selector as LabelSelector) : ''
  } catch {
    return '' // invalid: its ClusterGroup says so itself
  }
}
