// Brings the bundles of a GitRepo to what a commit says: decide first, then write, and delete last. Nothing is written when anything is broken or belongs to somebody else.
import type { Bundle } from '../api/bundle.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { ImageScan } from '../api/image-scan.ts'
import { BUNDLE, IMAGE_SCAN } from '../api/kinds.ts'
import { COMMIT_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError, isConflict, isNotFound } from '../lib/kube/errors.ts'
import type { Informer, InformerOptions } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Publisher, PublishResult, SourceSnapshot } from '../source/publisher.ts'
import { commitPatch, hasItsValues, stateOf } from './advance.ts'
import type { ChartSource } from './charts.ts'
import { optionsOfGitRepo } from './git-repo-options.ts'
import type { ContentStorage, OpenStorage } from './oci-storage.ts'
import { prepareBundles } from './prepare.ts'
import { type PublishPlan, planPublish, type WantedBundle, wantedBundles } from './publish-plan.ts'
import { readBundles } from './read.ts'
import { scanChanges } from './scan-changes.ts'
import { createBundleStore, type ValuesSecrets } from './store.ts'

/** Index of the caches by `namespace/name` of the GitRepo. */
export const BY_REPO = 'repo-name'

/** The cache of bundles that a publisher needs. */
export const publishedBundles: InformerOptions<Bundle> = { type: BUNDLE, indexes: { [BY_REPO]: repoKeys } }
/** The cache of image scans that a publisher needs where image scanning is on. */
export const publishedScans: InformerOptions<ImageScan> = { type: IMAGE_SCAN, indexes: { [BY_REPO]: repoKeys } }

type Lookup<T extends KubeObject> = Pick<Informer<T>, 'get' | 'by'>

export interface PublisherOptions {
  readonly client: KubeClient
  /** with the index of {@link publishedBundles} */
  readonly bundles: Lookup<Bundle>
  readonly valuesSecrets: ValuesSecrets
  /** with the index of {@link publishedScans}; image scanning is off without it */
  readonly scans?: Lookup<ImageScan> | undefined
  /** who downloads charts for a GitRepo, with its credentials */
  readonly charts?: ((gitRepo: GitRepo) => Promise<ChartSource | undefined>) | undefined
  /** puts files into registries; without it they stay in the cluster */
  readonly storage?: ContentStorage | undefined
  readonly log: Logger
}

/** What was done. */
export interface PublishOutcome extends PublishResult {
  readonly names: readonly string[]
  readonly created: number
  readonly updated: number
  readonly deleted: number
  /** what users should know although it does not hinder: keys that nobody knows, folders without resources */
  readonly warnings: readonly string[]
}

export interface BundlePublisher extends Publisher {
  publish(gitRepo: GitRepo, snapshot: SourceSnapshot, signal: AbortSignal): Promise<PublishOutcome>
}

const WRITES_AT_A_TIME = 16
/** Of the value of a label. */
const MAX_LABEL = 63
const LOGGED_WARNINGS = 20

function repoKeys({ metadata: { namespace, labels } }: KubeObject): string[] {
  const name = labels?.[REPO_NAME_LABEL]
  return name ? [keyOf({ namespace, name })] : []
}

/** A publisher that makes no request when nothing has changed. */
export function createPublisher(options: PublisherOptions): BundlePublisher {
  const { client, bundles, log } = options
  const store = createBundleStore(client, options.valuesSecrets)
  // created by this process and perhaps not in the cache yet: without them a quick second commit would leave bundles behind
  const unseen = new Map<string, Map<string, Bundle>>()

  function ownedBy(repo: string): Bundle[] {
    const made = unseen.get(repo) ?? new Map<string, Bundle>()
    for (const { metadata } of made.values()) if (bundles.get(metadata.name, metadata.namespace)) made.delete(metadata.name)
    return [...bundles.by(BY_REPO, repo), ...made.values()]
  }

  function remember(repo: string, { apiVersion, kind, metadata }: Bundle): void {
    const made = unseen.get(repo) ?? new Map<string, Bundle>()
    unseen.set(repo, made.set(metadata.name, { apiVersion, kind, metadata, spec: {} }))
  }

  async function publish(gitRepo: GitRepo, snapshot: SourceSnapshot, signal: AbortSignal): Promise<PublishOutcome> {
    const repo = keyOf(gitRepo)
    const read = await readBundles(snapshot.root, {
      ...optionsOfGitRepo(gitRepo, snapshot.commit),
      imageScans: options.scans !== undefined,
      charts: await options.charts?.(gitRepo),
      trace: snapshot.trace,
      signal,
    })
    const { wanted, warnings } = wantedBundles(read.drafts)
    const owned = ownedBy(repo)
    const stored = (name: string) => bundles.get(name, gitRepo.metadata.namespace)
    const prepared = await prepareBundles(wanted, stored, await withFiles(owned, wanted, signal))
    const storage = await options.storage?.open(gitRepo.metadata.namespace ?? '', gitRepo.spec.ociRegistrySecret)
    const plan = planPublish(gitRepo.metadata.name, storage ? prepared.map(storage.strip) : prepared, stored, owned)
    signal.throwIfAborted()
    await storage?.push(bundlesOf(plan), stored, signal)
    const written = await write(repo, plan, storage, signal)
    await writeScans(gitRepo, wanted, signal)
    // files in a registry and image scans are looked at anew for each commit
    const isSimple = snapshot.trace && !storage && !(options.scans && wanted.some(({ scans }) => scans.length > 0))
    const left = isSimple ? stateOf(written, snapshot.commit) : undefined
    const outcome = { ...outcomeOf(plan, [...read.warnings, ...warnings]), left }
    report(repo, snapshot.commit, outcome)
    return outcome
  }

  /** Those that go, with the files that lie in a registry: who takes over their objects has to know these. Without the registry it is done without. */
  async function withFiles(owned: readonly Bundle[], wanted: readonly WantedBundle[], signal: AbortSignal): Promise<Bundle[]> {
    const names = new Set(wanted.map(({ bundle }) => bundle.metadata.name))
    return inParallel(owned, WRITES_AT_A_TIME, async (bundle) => {
      if (names.has(bundle.metadata.name) || !bundle.spec.contentsId || !options.storage) return bundle
      try {
        return await options.storage.restore(bundle, signal)
      } catch (err) {
        signal.throwIfAborted()
        log.warn({ bundle: keyOf(bundle), err }, 'files of a bundle that goes cannot be read, its objects are not handed over')
        return bundle
      }
    })
  }

  async function write(repo: string, plan: PublishPlan, storage: OpenStorage | undefined, signal: AbortSignal): Promise<Bundle[]> {
    const written = await inParallel([...plan.create, ...plan.update], WRITES_AT_A_TIME, async (one) => {
      const written = await store.write(one, signal)
      if (!stillCached(written)) remember(repo, written)
      await storage?.own(written, signal)
      return written
    })
    await inParallel(plan.keep, WRITES_AT_A_TIME, async (one) => {
      await store.keepValues(one, signal)
      await storage?.own(one.bundle, signal)
    })
    const [one] = bundlesOf({ ...plan, create: [] })
    if (one) await storage?.handOver(one, signal)
    // last, so that what moves from one bundle to another is never in none
    await inParallel(plan.remove, WRITES_AT_A_TIME, (bundle) => remove(repo, bundle, signal))
    return [...written, ...plan.keep.map(({ bundle }) => bundle)]
  }

  async function advance(
    gitRepo: GitRepo,
    { commit, left }: { commit: string; left: string },
    signal: AbortSignal,
  ): Promise<PublishResult | undefined> {
    const repo = keyOf(gitRepo)
    const owned = bundles.by(BY_REPO, repo).filter(({ metadata }) => !metadata.deletionTimestamp)
    if (stateOf(owned) !== left || !owned.every((bundle) => hasItsValues(bundle, options.valuesSecrets))) return undefined
    if (options.scans && scanChanges(gitRepo, [], options.scans.by(BY_REPO, repo)).remove.length > 0) return undefined
    if (await options.storage?.open(gitRepo.metadata.namespace ?? '', gitRepo.spec.ociRegistrySecret)) return undefined
    signal.throwIfAborted()
    const behind = owned.filter(({ metadata }) => metadata.labels?.[COMMIT_LABEL] !== commit)
    const written = await inParallel(behind, WRITES_AT_A_TIME, (bundle) => moveLabel(bundle, commit, signal))
    const upToDate = owned.filter((bundle) => !behind.includes(bundle))
    // the cache may have been behind: what somebody else wrote meanwhile is in the answers
    const found = written.every((bundle) => bundle !== undefined) ? stateOf([...written, ...upToDate], commit) : undefined
    return found === left ? { bundles: owned.length, left } : undefined
  }

  /** Undefined when the bundle is not the one that the cache has. */
  async function moveLabel(bundle: Bundle, commit: string, signal: AbortSignal): Promise<Bundle | undefined> {
    try {
      const { name, namespace } = bundle.metadata
      return await client.patch<Bundle>(refOf(BUNDLE, name, namespace), commitPatch(bundle, commit), { type: 'merge', signal })
    } catch (error) {
      if (isNotFound(error) || isConflict(error) || isInvalid(error)) return undefined
      throw error
    }
  }

  function stillCached({ metadata: { name, namespace } }: Bundle): boolean {
    return bundles.get(name, namespace) !== undefined
  }

  async function remove(repo: string, { metadata: { name, namespace, uid } }: Bundle, signal?: AbortSignal): Promise<void> {
    await client.delete(refOf(BUNDLE, name, namespace), { ...(uid ? { uid } : {}), ...(signal ? { signal } : {}) })
    unseen.get(repo)?.delete(name)
  }

  /** A request that was given up may have been carried out all the same: before a GitRepo is let go, the API server has the last word. */
  async function findUnknown({ metadata: { name, namespace } }: GitRepo): Promise<readonly Bundle[]> {
    if (name.length > MAX_LABEL) return [] // no bundle can have it as a label
    const where = { ...(namespace ? { namespace } : {}), labelSelector: `${REPO_NAME_LABEL}=${name}` }
    return (await client.list<Bundle>(BUNDLE, where)).items
  }

  async function writeScans(gitRepo: GitRepo, wanted: readonly WantedBundle[], signal: AbortSignal): Promise<void> {
    if (!options.scans) return
    const changes = scanChanges(gitRepo, wanted, options.scans.by(BY_REPO, keyOf(gitRepo)))
    await inParallel(changes.create, WRITES_AT_A_TIME, (scan) => client.create(scan, { signal }))
    await inParallel(changes.update, WRITES_AT_A_TIME, (scan) => client.update(scan, { signal }))
    await inParallel(changes.remove, WRITES_AT_A_TIME, ({ metadata }) =>
      client.delete(refOf(IMAGE_SCAN, metadata.name, metadata.namespace), { signal }),
    )
  }

  function report(repo: string, commit: string, { created, updated, deleted, warnings }: PublishOutcome): void {
    if (created + updated + deleted === 0) return
    log.info({ gitRepo: repo, commit, created, updated, deleted, warnings: warnings.slice(0, LOGGED_WARNINGS) }, 'bundles published')
  }

  return {
    publish,
    advance,
    async remove(gitRepo) {
      const repo = keyOf(gitRepo)
      const known = ownedBy(repo)
      const owned = known.length > 0 ? known : await findUnknown(gitRepo)
      await inParallel(
        owned.filter(({ metadata }) => !metadata.deletionTimestamp),
        WRITES_AT_A_TIME,
        (bundle) => remove(repo, bundle),
      )
      const scans = options.scans?.by(BY_REPO, repo) ?? []
      await inParallel(scans, WRITES_AT_A_TIME, ({ metadata }) => client.delete(refOf(IMAGE_SCAN, metadata.name, metadata.namespace)))
      unseen.delete(repo)
      return { remaining: owned.length }
    },
  }
}

function bundlesOf({ create, update, keep }: PublishPlan): Bundle[] {
  return [...create, ...update, ...keep].map(({ bundle }) => bundle)
}

function outcomeOf(plan: PublishPlan, warnings: readonly string[]): PublishOutcome {
  const names = bundlesOf(plan)
    .map(({ metadata }) => metadata.name)
    .sort()
  return { bundles: names.length, names, created: plan.create.length, updated: plan.update.length, deleted: plan.remove.length, warnings }
}

/** Such as another uid. */
function isInvalid(error: unknown): boolean {
  return error instanceof ApiError && error.status === 422
}

function refOf(type: typeof BUNDLE | typeof IMAGE_SCAN, name: string, namespace: string | undefined) {
  return { ...type, name, ...(namespace ? { namespace } : {}) }
}
