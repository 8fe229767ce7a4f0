// Commits new image versions to the repositories that ask for it (spec 8.9). Its keys are GitRepos.
import { createHash } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { GitRepo, GitRepoStatus } from '../api/git-repo.ts'
import type { ImageScan } from '../api/image-scan.ts'
import { GIT_REPO, IMAGE_SCAN } from '../api/kinds.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { errorCondition, formatTime, getCondition, removeCondition, setCondition } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { reasonOf, TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import { onNewest } from '../lib/controller/on-newest.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend, type GitLimits } from '../lib/git/types.ts'
import type { GitWriter } from '../lib/git/write/types.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isConflict } from '../lib/kube/errors.ts'
import type { InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Authorize } from '../source/authorizer.ts'
import { createCheckouts } from '../source/checkouts.ts'
import { type GitDefaults, gitAccess } from '../source/git-access.ts'
import { nextPollMs } from '../source/poll-schedule.ts'
import { createSecretReader, SECRET, secretKeysOf } from '../source/secrets.ts'
import { planWriteBack } from './plan.ts'
import { intervalMsOf } from './scan-schedule.ts'
import { type WriteBackResult, writeBack, writeBackMessage } from './write-back.ts'

export interface WriteBackControllerDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly backend: GitBackend & GitWriter
  readonly log: Logger
  readonly clock: Clock
  /** in [0, 1), for jitter */
  readonly random: () => number
  readonly workers: number
  readonly metrics?: ControllerMetrics | undefined
  /** Whether a GitRepo is of our shard. */
  readonly handles: (object: KubeObject) => boolean
  /** Parent folder of checkouts. */
  readonly tempDir: string
  readonly pid: number
  /** The restrictions of workspaces: what may not be read may not be written to either. */
  readonly authorize: Authorize
  readonly gitDefaults?: (() => GitDefaults) | undefined
  readonly limits?: GitLimits | undefined
}

interface Memory {
  readonly uid: string
  /** Everything is as it should be with these inputs in this commit; looked at then. */
  done?: { readonly id: string; readonly commit: string; readonly at: number }
  failure?: { readonly id: string; readonly count: number; readonly retryAt: number }
}

const SYNCED = 'ImageSynced'
const BY_GIT_REPO = 'imagescan/gitrepo'
const BY_SECRET = 'source/secret'
const OWNED = ['conditions', 'lastSyncedImageScanTime', 'webhookCommit', 'lastWebhookTime'] as const
/** First pause after an error. */
const RETRY_MS = 30_000
/** From the first request to the last. */
const TIME_LIMIT_MS = 20 * 60_000
/** Scans of one push to a registry change together. */
const DEBOUNCE_MS = 250
/** Settings that a log line tells of. */
const LOGGED_SETTINGS = 20

export function createWriteBackController(deps: WriteBackControllerDeps): Controller {
  const { client, informers, backend, clock, limits = DEFAULT_GIT_LIMITS } = deps
  const log = deps.log.child({ controller: 'imagescan-commit' })
  const gitRepos = informers.informer<GitRepo>({ type: GIT_REPO, indexes: { [BY_SECRET]: secretKeysOf } })
  const scans = informers.informer<ImageScan>({ type: IMAGE_SCAN, indexes: { [BY_GIT_REPO]: gitRepoKeysOf } })
  const secretMetadata = informers.informer<KubeObject>({ type: SECRET, metadataOnly: true })
  const secretReader = createSecretReader(client, secretMetadata)
  const statuses = createStatusWriter(client)
  const dir = join(deps.tempDir, 'fleet-imagescan')
  const checkouts = createCheckouts({ backend, dir, limits, clock, log, pid: deps.pid, lingerMs: 0 })
  const memories = new Map<string, Memory>()

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { name, namespace } = parseKey(key)
    const cached = gitRepos.get(name, namespace)
    if (!cached || cached.metadata.deletionTimestamp || !deps.handles(cached)) return forget(key)
    const gitRepo = statuses.latest(cached)
    const plan = planWriteBack(gitRepo, scans.by(BY_GIT_REPO, key))
    if (plan.kind === 'off') return retire(key, cached)
    if (plan.kind === 'idle') return {}
    const authorization = deps.authorize(gitRepo)
    const refusal = plan.kind === 'blocked' ? plan.error : authorization.isAllowed ? undefined : new TerminalError(authorization.message)
    if (refusal || plan.kind === 'blocked') return report(cached, refusal)
    return sync(key, cached, plan.values, signal)
  }

  async function sync(key: string, cached: GitRepo, values: ReadonlyMap<string, string>, signal: AbortSignal): Promise<ReconcileResult> {
    const gitRepo = statuses.latest(cached)
    const access = gitAccess(gitRepo, await secretReader.read(gitRepo), deps.gitDefaults?.())
    const memory = memoryOf(key, gitRepo)
    const id = digest([access.pollId, gitRepo.spec.paths, gitRepo.spec.bundles, gitRepo.spec.imageScanCommit, [...values]])
    const seen = seenCommit(gitRepo)
    if (memory.done?.id === id && memory.done.commit === seen) return report(cached)
    const waitMs = dueAt(gitRepo, memory, id, seen) - clock.now()
    if (waitMs > 0) return { requeueAfterMs: waitMs }
    if (access.problem) return report(cached, access.problem)
    try {
      const known = memory.done?.id === id ? memory.done.commit : undefined
      const result = await writeBack({ backend, checkouts, limits }, gitRepo, access, values, known, signal)
      memory.done = { id, commit: result.commit, at: clock.now() }
      delete memory.failure
      if (result.settings.length > 0) tell(key, result)
      return await report(cached, undefined, result.settings.length > 0 ? result.commit : undefined)
    } catch (error) {
      signal.throwIfAborted()
      if (isConflict(error)) throw error
      if (error instanceof WaitingError) return { requeueAfterMs: error.retryAfterMs } // the fetch goes on, and is found then
      return fail(cached, memory, `${id} ${seen}`, error)
    }
  }

  /** When the repository may be looked at, in milliseconds: so long after the last commit, the last look for the same values, or an error. */
  function dueAt(gitRepo: GitRepo, { done, failure }: Memory, id: string, seen: string): number {
    const intervalMs = intervalMsOf(gitRepo.spec.imageScanInterval)
    const synced = Date.parse(gitRepo.status?.lastSyncedImageScanTime ?? '') || 0
    const looked = done?.id === id ? done.at : 0
    const last = Math.min(Math.max(synced, looked), clock.now()) // a time that is yet to come is of a clock that was wrong
    const retryAt = failure?.id === `${id} ${seen}` ? failure.retryAt : 0
    return Math.max(last === 0 ? 0 : last + intervalMs, retryAt)
  }

  async function fail(cached: GitRepo, memory: Memory, id: string, error: unknown): Promise<ReconcileResult> {
    const count = memory.failure?.id === id ? memory.failure.count + 1 : 1
    const pauseMs = nextPollMs({ intervalMs: RETRY_MS, failures: count, retryAfterMs: serverDelay(error) }, deps.random())
    memory.failure = { id, count, retryAt: clock.now() + pauseMs }
    log.warn({ gitRepo: keyOf(cached), err: error, retryInMs: Math.round(pauseMs) }, 'new image versions could not be written back')
    await report(cached, new TerminalError(writeBackMessage(error), { reason: reasonOf(error) }))
    return { requeueAfterMs: pauseMs }
  }

  /** Writes the condition; after a push also its time, and a hint that makes the GitRepo look at its repository now. No request if nothing has changed. */
  async function report(cached: GitRepo, error?: TerminalError, pushed?: string): Promise<ReconcileResult> {
    const now = clock.now()
    await onNewest(client, cached, async (base) => {
      const { status = {} } = statuses.latest(base)
      if (error === undefined && pushed === undefined && getCondition(status.conditions, SYNCED)?.status === 'True') return
      const next: GitRepoStatus = { ...status, conditions: setCondition(status.conditions, errorCondition(SYNCED, error), now) }
      const time = formatTime(now)
      if (pushed !== undefined) Object.assign(next, { lastSyncedImageScanTime: time, webhookCommit: pushed, lastWebhookTime: time })
      await statuses.write(base, next, { owned: OWNED })
    })
    return {}
  }

  function tell(key: string, { commit, settings }: WriteBackResult): void {
    const changes = settings.slice(0, LOGGED_SETTINGS).map(({ path, line, to }) => `${path}:${line} ${to}`)
    log.info({ gitRepo: key, commit, settings: settings.length, changes }, 'new image versions committed')
  }

  function memoryOf(key: string, { metadata }: GitRepo): Memory {
    const known = memories.get(key)
    if (known && known.uid === metadata.uid) return known
    const memory: Memory = { uid: metadata.uid ?? '' }
    memories.set(key, memory)
    return memory
  }

  /** What was wrong does not matter any more. */
  async function retire(key: string, cached: GitRepo): Promise<ReconcileResult> {
    const status = statuses.latest(cached).status ?? {}
    if (getCondition(status.conditions, SYNCED)?.status === 'False')
      await statuses.write(cached, { ...status, conditions: removeCondition(status.conditions, SYNCED) }, { owned: OWNED })
    return forget(key)
  }

  function forget(key: string): ReconcileResult {
    memories.delete(key)
    return {}
  }

  const controller = createController({
    name: 'imagescan-commit',
    workers: deps.workers,
    reconcile,
    clock,
    log,
    metrics: deps.metrics,
    timeoutMs: TIME_LIMIT_MS,
  })
  controller.watch(gitRepos)
  controller.watch(scans, ({ object, old }) => [...new Set([object, ...(old ? [old] : [])].flatMap(gitRepoKeysOf))], {
    debounceMs: DEBOUNCE_MS,
  })
  controller.watch(secretMetadata, ({ object }) => gitRepos.by(BY_SECRET, keyOf(object)).map((gitRepo) => keyOf(gitRepo)))
  return {
    ...controller,
    async run(signal) {
      await ownFolder(dir)
      await checkouts.open()
      try {
        await controller.run(signal)
      } finally {
        await checkouts.close()
      }
    },
  }
}

/** A folder under a name that everybody knows: it has to be ours alone. */
async function ownFolder(dir: string): Promise<void> {
  await mkdir(dir, { mode: 0o700, recursive: true })
  const found = await lstat(dir)
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${dir} belongs to somebody else: remove it`)
}

function gitRepoKeysOf({ metadata: { namespace }, spec }: ImageScan): string[] {
  return spec.gitrepoName ? [keyOf({ namespace, name: spec.gitrepoName })] : []
}

/** What the branch was at when the GitRepo last looked. */
function seenCommit({ status = {} }: GitRepo): string {
  return status.pollingCommit || status.commit || ''
}

function serverDelay(error: unknown): number | undefined {
  const delay = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : undefined
  return typeof delay === 'number' ? delay : undefined
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
