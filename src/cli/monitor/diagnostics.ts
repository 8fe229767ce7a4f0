// What is wrong with the objects of a hub, one question a function.
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, COMMIT_LABEL, REPO_NAME_LABEL } from '../../api/labels.ts'
import { isConditionTrue } from '../../lib/controller/conditions.ts'
import { keyOf } from '../../lib/controller/keys.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { pollingIntervalMs, recordEveryMs } from '../../source/poll-schedule.ts'
import type { SizedBundle } from './hub-state.ts'
import { nameOf } from './infos.ts'
import type { ResourceWithFinalizers } from './snapshot.ts'

/** A bundle above this size is a burden for etcd. */
const LARGE_BUNDLE_BYTES = 2 ** 20
/** An agent that was silent for longer is lost. */
const SILENT_AGENT_MS = 24 * 3_600_000

/** Not what it should be: another version is deployed, a forced sync was not seen, or it cannot go. */
export function isStuck(deployment: BundleDeployment): boolean {
  const { metadata, spec, status } = deployment
  if (metadata.deletionTimestamp || missesForcedSync(deployment)) return true
  return (spec.deploymentID ?? '') !== (status?.appliedDeploymentID ?? '')
}

/** The agent has not seen the newest forceSyncGeneration. */
export function missesForcedSync({ spec, status }: BundleDeployment): boolean {
  const wanted = spec.options?.forceSyncGeneration ?? 0
  return wanted > 0 && status?.syncGeneration !== wanted
}

/** Made from another commit, or before the last forced sync, of its GitRepo. `gitRepos` by key. */
export function isBehindGitRepo(bundle: SizedBundle, gitRepos: ReadonlyMap<string, GitRepo>): boolean {
  const key = gitRepoKeyOf(bundle)
  const gitRepo = key === undefined ? undefined : gitRepos.get(key)
  if (!gitRepo) return false
  if ((bundle.metadata.labels?.[COMMIT_LABEL] ?? '') !== (gitRepo.status?.commit ?? '')) return true
  return (bundle.spec.forceSyncGeneration ?? 0) !== (gitRepo.spec.forceSyncGeneration ?? 0)
}

/** Key of the GitRepo that a bundle names; undefined for bundles of other origin. */
export function gitRepoKeyOf({ metadata }: KubeObject): string | undefined {
  const name = metadata.labels?.[REPO_NAME_LABEL]
  return name ? `${metadata.namespace}/${name}` : undefined
}

/** Key of the bundle that a deployment names. */
export function bundleKeyOf({ metadata }: BundleDeployment): string | undefined {
  const { [BUNDLE_NAME_LABEL]: name, [BUNDLE_NAMESPACE_LABEL]: namespace } = metadata.labels ?? {}
  return name && namespace ? `${namespace}/${name}` : undefined
}

/** Large enough to slow etcd down. */
export function isLarge({ sizeBytes }: SizedBundle): boolean {
  return sizeBytes > LARGE_BUNDLE_BYTES
}

/** Not ready, never heard of, or silent for a day. `now` in milliseconds. */
export function hasAgentIssue({ status }: Cluster, now: number): boolean {
  const lastSeen = Date.parse(status?.agent?.lastSeen ?? '')
  return !isConditionTrue(status?.conditions, 'Ready') || !(lastSeen >= now - SILENT_AGENT_MS)
}

/** What was read last is neither what polling nor what a webhook told of. */
export function hasCommitMismatch({ status }: GitRepo): boolean {
  const { commit = '', pollingCommit = '', webhookCommit = '' } = status ?? {}
  return commit !== pollingCommit && commit !== webhookCommit
}

/** The controller has not seen the newest spec. */
export function hasGenerationMismatch(object: KubeObject & { status?: { observedGeneration?: number | undefined } | undefined }): boolean {
  return (object.metadata.generation ?? 0) !== (object.status?.observedGeneration ?? 0)
}

/** Polling is on, and the last poll is too long ago. Polls without news are only recorded now and then. `now` in milliseconds. */
export function isUnpolled({ spec, status }: GitRepo, now: number): boolean {
  if (spec.disablePolling) return false
  const interval = pollingIntervalMs(spec.pollingInterval)
  const lastPoll = Date.parse(status?.lastPollingTriggered ?? '')
  return !(lastPoll >= now - recordEveryMs(interval) - 2 * interval)
}

/** More than one finalizer: somebody else's may keep the object from going. */
export function withSeveralFinalizers(kind: string, objects: readonly KubeObject[]): ResourceWithFinalizers[] {
  return objects.flatMap(({ metadata }) => {
    const { finalizers = [], deletionTimestamp } = metadata
    if (finalizers.length < 2) return []
    return [{ kind, ...nameOf(metadata), finalizers, finalizerCount: finalizers.length, deletionTimestamp }]
  })
}

/** Objects that are to go and are still there. */
export function isDeleting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined
}

/** Objects by `namespace/name`. */
export function byKey<T extends KubeObject>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [keyOf(object), object]))
}
