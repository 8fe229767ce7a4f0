// Brings the cluster to what the folders say, by the functions that publish a GitRepo: everything is read and decided first, then written, and deleted last.
import type { Bundle } from '../../api/bundle.ts'
import { BUNDLE, GIT_REPO, IMAGE_SCAN } from '../../api/kinds.ts'
import type { BundleDraft } from '../../bundle/draft.ts'
import type { OpenStorage } from '../../bundle/oci-storage.ts'
import { prepareBundles } from '../../bundle/prepare.ts'
import { planPublish, type WantedBundle, wantedBundles } from '../../bundle/publish-plan.ts'
import { type ScanChanges, scanChanges } from '../../bundle/scan-changes.ts'
import { createBundleStore } from '../../bundle/store.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isConflict } from '../../lib/kube/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { readStored, type Scope } from './stored.ts'

/** An object, and what became of it. */
export interface Change {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly what: 'created' | 'updated' | 'unchanged' | 'deleted'
}

export interface WriteOptions extends Scope {
  /** how often all of it is tried when somebody else writes at the same time */
  readonly attempts: number
  /** puts files into a registry; undefined: they stay in the bundles */
  readonly storage: OpenStorage | undefined
  readonly signal: AbortSignal
  /** told of each object as it is written */
  onChange(change: Change): void
}

export interface WriteOutcome {
  readonly changes: readonly Change[]
  readonly warnings: readonly string[]
}

const WRITES_AT_A_TIME = 16

/**
 * Writes the bundles of a repository with their values and image scans, and removes those that it has no more.
 * Throws TerminalError for names that are no names or belong to somebody else, WaitingError while a bundle of a name is being deleted; then nothing was written.
 */
export async function writeBundles(client: KubeClient, drafts: readonly BundleDraft[], options: WriteOptions): Promise<WriteOutcome> {
  const { wanted, warnings } = wantedBundles(drafts)
  for (let attempt = 1; ; attempt++) {
    try {
      return { changes: await writeOnce(client, wanted, options), warnings }
    } catch (error) {
      if (attempt >= options.attempts || !isConflict(error)) throw error
      options.signal.throwIfAborted()
    }
  }
}

async function writeOnce(client: KubeClient, wanted: readonly WantedBundle[], options: WriteOptions): Promise<Change[]> {
  const { repoName, namespace, storage, signal } = options
  const stored = await readStored(client, options, wanted, signal)
  const prepared = await prepareBundles(wanted, stored.bundle, stored.owned)
  const plan = planPublish(repoName, storage ? prepared.map(storage.strip) : prepared, stored.bundle, stored.owned)
  const repo = { ...GIT_REPO, metadata: { name: repoName, namespace }, spec: { repo: '' } }
  const scans = options.imageScans ? scanChanges(repo, wanted, stored.scans) : undefined
  signal.throwIfAborted()
  const all = [...plan.create, ...plan.update, ...plan.keep].map(({ bundle }) => bundle)
  await storage?.push(all, stored.bundle, signal)

  const changes: Change[] = []
  const changed = ({ kind, metadata }: KubeObject, what: Change['what']) => {
    const change = { kind, namespace: metadata.namespace ?? namespace, name: metadata.name, what }
    changes.push(change)
    options.onChange(change)
  }
  const store = createBundleStore(client, stored.valuesSecrets)
  const write = (what: 'created' | 'updated') => async (one: WantedBundle) => {
    const written = await store.write(one, signal)
    changed(written, what)
    await storage?.own(written, signal)
  }
  await inParallel(plan.create, WRITES_AT_A_TIME, write('created'))
  await inParallel(plan.update, WRITES_AT_A_TIME, write('updated'))
  await inParallel(plan.keep, WRITES_AT_A_TIME, async (one) => {
    await store.keepValues(one, signal)
    await storage?.own(one.bundle, signal)
    changed(one.bundle, 'unchanged')
  })
  if (scans) await writeScans(client, scans, changed, signal)
  // last, so that what moves from one bundle to another is never in none
  await inParallel(plan.remove, WRITES_AT_A_TIME, async (bundle) => {
    await remove(client, bundle, signal)
    changed(bundle, 'deleted')
  })
  return changes
}

async function writeScans(
  client: KubeClient,
  scans: ScanChanges,
  changed: (object: KubeObject, what: Change['what']) => void,
  signal: AbortSignal,
): Promise<void> {
  await inParallel(scans.create, WRITES_AT_A_TIME, async (scan) => changed(await client.create(scan, { signal }), 'created'))
  await inParallel(scans.update, WRITES_AT_A_TIME, async (scan) => changed(await client.update(scan, { signal }), 'updated'))
  await inParallel(scans.remove, WRITES_AT_A_TIME, async (scan) => {
    await remove(client, { ...scan, ...IMAGE_SCAN }, signal)
    changed({ ...scan, ...IMAGE_SCAN }, 'deleted')
  })
}

async function remove(client: KubeClient, { apiVersion, kind, metadata }: Bundle | KubeObject, signal: AbortSignal): Promise<void> {
  const { name, namespace, uid } = metadata
  const type = kind === BUNDLE.kind ? BUNDLE : { apiVersion, kind }
  await client.delete({ ...type, name, ...(namespace ? { namespace } : {}) }, { ...(uid ? { uid } : {}), signal })
}
