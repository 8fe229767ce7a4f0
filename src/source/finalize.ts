// What happens to a GitRepo that is being deleted (spec 8.8).
import type { GitRepo } from '../api/git-repo.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Publisher } from './publisher.ts'

/** How long to wait before looking again whether the bundles are gone. */
export const REMOVAL_CHECK_MS = 2_000

/** Namespaces that are never deleted, besides the hub's own (spec 7.10). */
const PROTECTED = new Set(['fleet-local', 'cattle-fleet-system', 'fleet-default', 'cattle-fleet-clusters-system', 'default'])

/** The namespace of the hub that goes with the GitRepo, if one does: never one that others live in. */
export function namespaceToDelete({ metadata, spec }: GitRepo, systemNamespace: string): string | undefined {
  const name = spec.targetNamespace
  if (!spec.deleteNamespace || spec.keepResources || !name) return undefined
  const isProtected = PROTECTED.has(name) || name.startsWith('kube-') || name === systemNamespace || name === metadata.namespace
  return isProtected ? undefined : name
}

/** Deletes what belongs to the GitRepo. Returns how many bundles are left; with none, the finalizer may go. A namespace that is absent is fine. */
export async function removeEverything(
  deps: { client: Pick<KubeClient, 'delete'>; publisher: Pick<Publisher, 'remove'>; systemNamespace: string },
  gitRepo: GitRepo,
): Promise<number> {
  const { remaining } = await deps.publisher.remove(gitRepo)
  if (remaining > 0) return remaining
  const namespace = namespaceToDelete(gitRepo, deps.systemNamespace)
  if (namespace) await deps.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
  return 0
}
