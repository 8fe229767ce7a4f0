// Follows GitRepos: finds out which commit each names, reads it when it has to, and tells in the status how that went.
import type { GitRepo } from '../api/git-repo.ts'
import { GIT_REPO } from '../api/kinds.ts'
import { GIT_REPO_FINALIZER, SHARD_REF_LABEL } from '../api/labels.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import { GitError } from '../lib/git/errors.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend, type GitLimits } from '../lib/git/types.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer, InformerEvent, InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { Authorization, Authorize } from './authorizer.ts'
import { createCheckouts } from './checkouts.ts'
import { decide, inputsOf } from './decide.ts'
import { REMOVAL_CHECK_MS, removeEverything } from './finalize.ts'
import { type GitAccess, type GitDefaults, gitAccess } from './git-access.ts'
import type { StatusFacts } from './git-repo-status.ts'
import { pollingIntervalMs, recordEveryMs } from './poll-schedule.ts'
import { createPoller, type PollResult } from './poller.ts'
import type { Publisher } from './publisher.ts'
import { hintOf, hintStep } from './push-hint.ts'
import { createReadRecords } from './read-records.ts'
import { type ReadingOrder, readCommit } from './reading.ts'
import { createRepoMemories, newest, type RepoMemory } from './repo-memory.ts'
import { createRepoWriter } from './repo-writer.ts'
import {
  annotationChanges,
  chartSecretProblem,
  chartSecretsId,
  createSecretReader,
  hasChartSecretChanged,
  hashAnnotations,
  SECRET,
  secretKeysOf,
} from './secrets.ts'

export interface GitRepoControllerDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly backend: GitBackend
  readonly publisher: Publisher
  /** Component `fleet-gitops`. */
  readonly events: EventRecorder
  readonly clock: Clock
  readonly log: Logger
  /** In [0, 1), for jitter. */
  readonly random: () => number
  /** Parent folder of checkouts. */
  readonly tempDir: string
  readonly pid: number
  readonly systemNamespace: string
  readonly workers: number
  /** Only GitRepos with this value of the shard label are ours; empty: those without (spec 2.2). */
  readonly shard?: string | undefined
  /** Read anew for each GitRepo, since the configuration may change. */
  readonly gitDefaults?: (() => GitDefaults) | undefined
  /** What `gitDefaults` reads: a change there concerns all GitRepos. */
  readonly gitDefaultsInformers?: readonly Informer<KubeObject>[] | undefined
  readonly limits?: GitLimits | undefined
  /** Default: everything is allowed. */
  readonly authorize?: Authorize | undefined
  /** What `authorize` reads: a change there concerns the GitRepos of the same namespace. */
  readonly restrictions?: readonly Informer<KubeObject>[] | undefined
  readonly metrics?: ControllerMetrics | undefined
  readonly counts?: RepoCounts | undefined
}

/** Where polls and readings are counted (spec 10.1). */
interface RepoCounts {
  polled(repo: { readonly name: string; readonly namespace: string }, isGood: boolean, seconds: number): void
  read(repo: { readonly name: string; readonly namespace: string }, isGood: boolean, seconds: number): void
  /** A new commit that changes nothing for the GitRepo, and was not read. */
  unchanged?(repo: { readonly name: string; readonly namespace: string }): void
  forget(repo: { readonly name: string; readonly namespace: string }): void
}

const BY_SECRET = 'source/secret'
/** A reading shorter than this is not announced. */
const ANNOUNCE_AFTER_MS = 1_000
/** Restrictions are looked at again, should nobody tell that they changed. */
const REFUSED_RECHECK_MS = 60_000
/** From the first request to the last bundle. */
const READ_LIMIT_MS = 20 * 60_000
const TOO_LONG = 'reading the commit took longer than 20 minutes; it is tried again'
/** For the writes after a reading. */
const RECONCILE_REST_MS = 5 * 60_000
const SUPERSEDED = new Error('the GitRepo has changed meanwhile')

export function createGitRepoController(deps: GitRepoControllerDeps): Controller {
  const { client, informers, clock, log, authorize = () => ({ isAllowed: true }), limits = DEFAULT_GIT_LIMITS } = deps
  const gitRepos = informers.informer<GitRepo>({ type: GIT_REPO, indexes: { [BY_SECRET]: secretKeysOf } })
  const secretMetadata = informers.informer<KubeObject>({ type: SECRET, metadataOnly: true })
  const secretReader = createSecretReader(client, secretMetadata)
  const memories = createRepoMemories()
  const records = createReadRecords()
  const writer = createRepoWriter(deps)
  const checkouts = createCheckouts({ backend: deps.backend, dir: deps.tempDir, limits, clock, log, pid: deps.pid })
  const poller = createPoller({ backend: deps.backend, clock, log, random: deps.random, onPolled })

  function onPolled(key: string, isGood: boolean, durationMs: number): void {
    deps.counts?.polled(repoOf(key), isGood, durationMs / 1000)
    controller.enqueue(key)
  }

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { name, namespace } = parseKey(key)
    const cached = gitRepos.get(name, namespace)
    if (!cached || (cached.metadata.labels?.[SHARD_REF_LABEL] ?? '') !== (deps.shard ?? '')) return forget(key)
    const memory = memories.of(key, cached, clock.now())
    if (cached.metadata.deletionTimestamp) return finalize(key, cached, memory)
    const gitRepo = await writer.claim(cached, memory)
    if (!gitRepo.spec.repo) return forget(key)

    const authorization = authorize(gitRepo)
    if (!authorization.isAllowed) return refuse(key, gitRepo, memory, authorization.message)
    const defaults = missingDefaults(gitRepo, authorization)
    if (defaults) {
      await writer.setDefaults(gitRepo, memory, defaults)
      return {} // the event of this write brings the new generation
    }
    return follow(key, gitRepo, memory, signal)
  }

  function forget(key: string): ReconcileResult {
    poller.forget(key)
    memories.forget(key)
    records.forget(key)
    deps.counts?.forget(repoOf(key))
    return {}
  }

  async function finalize(key: string, cached: GitRepo, memory: RepoMemory): Promise<ReconcileResult> {
    poller.forget(key)
    const gitRepo = newest(cached, memory)
    if (!gitRepo.metadata.finalizers?.includes(GIT_REPO_FINALIZER)) return {}
    const remainingBundles = await removeEverything(deps, gitRepo)
    if (remainingBundles === 0) {
      await writer.release(gitRepo, memory)
      return {}
    }
    if (memory.isLeaving) await writer.status(gitRepo, memory, { remainingBundles })
    memory.isLeaving = true
    return { requeueAfterMs: REMOVAL_CHECK_MS }
  }

  async function refuse(key: string, gitRepo: GitRepo, memory: RepoMemory, message: string): Promise<ReconcileResult> {
    poller.forget(key)
    memory.request = ''
    await writer.status(gitRepo, memory, { refusal: new TerminalError(message), isPolicyViolation: true })
    return { requeueAfterMs: REFUSED_RECHECK_MS }
  }

  async function follow(key: string, gitRepo: GitRepo, memory: RepoMemory, signal: AbortSignal): Promise<ReconcileResult> {
    const secrets = await secretReader.read(gitRepo)
    const access = gitAccess(gitRepo, secrets, deps.gitDefaults?.())
    memory.hint = hintOf(gitRepo, memory.hint, clock.now(), memory.request === '')
    const poll = ask(key, gitRepo, memory, access)
    const refusal = access.problem ?? chartSecretProblem(gitRepo, secrets)
    if (refusal) {
      await writer.status(gitRepo, memory, { refusal, ...pollFacts(gitRepo, memory, poll) })
      return {} // the event of the secret comes
    }

    const hashes = hashAnnotations(gitRepo, secrets)
    const changes = annotationChanges(gitRepo, hashes)
    const inputs = { secrets: chartSecretsId(hashes), remoteId: access.remoteId }
    const decision = decide(
      { gitRepo, poll, attempt: memory.attempt, secretsChanged: hasChartSecretChanged(changes), ...inputs },
      clock.now(),
    )
    if (decision.kind === 'ask') poller.refresh(key, memory.freshSince)
    if (decision.kind === 'read') {
      const order = { inputs: inputsOf(gitRepo, decision.commit, inputs), isOnlyCommit: decision.because === 'commit' }
      if (!(await read(gitRepo, memory, access, order, poll, signal))) return {} // the event that made it pointless comes
    }
    const push = followHint(key, gitRepo, memory, poll)
    await writer.status(gitRepo, memory, { attempt: memory.attempt, ...pollFacts(gitRepo, memory, poll), ...push.facts })
    if (changes && poll?.commit) await writer.annotate(gitRepo, memory, changes)
    const waits = [push.waitMs ?? 0, (memory.attempt?.failure?.retryAt ?? 0) - clock.now()].filter((ms) => ms > 0)
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : {} // after that time the next poll comes back
  }

  /** A push makes us ask the server, again and again for a while if it does not show the commit. */
  function followHint(
    key: string,
    gitRepo: GitRepo,
    memory: RepoMemory,
    poll: PollResult | undefined,
  ): { facts?: Pick<StatusFacts, 'settledHint' | 'isHintLost'>; waitMs?: number } {
    const { hint, attempt } = memory
    if (!hint) return {}
    const step = hintStep(hint, poll, gitRepo, clock.now())
    if (step.kind === 'give up') return { facts: { settledHint: hint.commit, isHintLost: true } }
    if (step.kind === 'wait') return { waitMs: step.ms }
    if (step.kind === 'ask') {
      memory.hint = step.hint
      poller.refresh(key, step.hint.askedAt)
      return {}
    }
    const isRead = attempt !== undefined && !attempt.failure && attempt.commit === poll?.commit
    return isRead ? { facts: { settledHint: hint.commit } } : {}
  }

  /** What is known of the ref. After a change of spec or credentials only a poll that began since then counts; it is started here. */
  function ask(key: string, gitRepo: GitRepo, memory: RepoMemory, access: GitAccess): PollResult | undefined {
    const { spec, metadata } = gitRepo
    const request = JSON.stringify([metadata.generation, spec.forceSyncGeneration ?? 0, access.pollId])
    const isNew = memory.request === '' ? !isObserved(gitRepo) : memory.request !== request
    memory.request = request
    if (isNew) memory.freshSince = clock.now()
    const intervalMs = intervalOf(gitRepo)
    const poll = poller.follow(key, { id: sharedPoll(access, intervalMs, key), remote: access.remote, ref: access.ref, intervalMs })
    if (isNew) poller.refresh(key, memory.freshSince)
    return poll && poll.at >= memory.freshSince ? poll : undefined
  }

  function pollFacts(gitRepo: GitRepo, memory: RepoMemory, poll: PollResult | undefined): Pick<StatusFacts, 'poll' | 'isRecordDue'> {
    return { poll, isRecordDue: poll !== undefined && clock.now() - memory.recordedAt >= recordEveryMs(intervalOf(gitRepo)) }
  }

  /** False if the GitRepo changed or was deleted meanwhile, so that the result counts for nothing. */
  async function read(
    gitRepo: GitRepo,
    memory: RepoMemory,
    access: GitAccess,
    order: ReadingOrder,
    poll: PollResult | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const abort = new AbortController()
    memory.reading = { generation: order.inputs.generation, abort }
    const start = clock.now()
    const limit = clock.setTimeout(() => abort.abort(new GitError('timeout', TOO_LONG)), READ_LIMIT_MS)
    let announced = Promise.resolve()
    const announcement = clock.setTimeout(() => {
      announced = announce(gitRepo, memory, { reading: order.inputs.commit, poll })
    }, ANNOUNCE_AFTER_MS)
    try {
      const stop = AbortSignal.any([signal, abort.signal])
      const outcome = await readCommit({ ...deps, checkouts, records }, gitRepo, access, order, memory.attempt, stop)
      memory.attempt = outcome.attempt
      const repo = repoOf(keyOf(gitRepo))
      if (outcome.isUnchanged) deps.counts?.unchanged?.(repo)
      else if (outcome.attempt.failure?.kind !== 'waiting') deps.counts?.read(repo, !outcome.attempt.failure, (clock.now() - start) / 1000)
      return true
    } catch (error) {
      if (error === SUPERSEDED) return false
      throw error
    } finally {
      memory.reading = undefined
      clock.clearTimeout(limit)
      clock.clearTimeout(announcement)
      await announced
    }
  }

  /** Only a courtesy: the outcome is written anyway. */
  async function announce(gitRepo: GitRepo, memory: RepoMemory, facts: StatusFacts): Promise<void> {
    try {
      await writer.status(gitRepo, memory, facts)
    } catch (err) {
      log.debug({ gitRepo: keyOf(gitRepo), err }, 'progress could not be written')
    }
  }

  /** A reading for a spec that is no more is a waste of time. */
  function supersede({ type, object }: InformerEvent<GitRepo>): void {
    const reading = memories.find(keyOf(object))?.reading
    if (!reading) return
    const { deletionTimestamp, generation = 0 } = object.metadata
    if (type === 'deleted' || deletionTimestamp || generation > reading.generation) reading.abort.abort(SUPERSEDED)
  }

  const controller = createController({
    name: 'gitrepo',
    workers: deps.workers,
    reconcile,
    clock,
    log,
    metrics: deps.metrics,
    timeoutMs: READ_LIMIT_MS + RECONCILE_REST_MS,
  })
  gitRepos.subscribe(supersede)
  controller.watch(gitRepos)
  controller.watch(secretMetadata, ({ object }) => gitRepos.by(BY_SECRET, keyOf(object)).map((gitRepo) => keyOf(gitRepo)))

  for (const informer of deps.restrictions ?? [])
    controller.watch(informer, ({ object }) => gitRepos.list(object.metadata.namespace).map((gitRepo) => keyOf(gitRepo)))
  for (const informer of deps.gitDefaultsInformers ?? []) controller.watch(informer, () => gitRepos.list().map((gitRepo) => keyOf(gitRepo)))

  return {
    ...controller,
    async run(signal) {
      await checkouts.open()
      try {
        await controller.run(signal)
      } finally {
        poller.stop()
        await checkouts.close()
      }
    },
  }
}

function repoOf(key: string): { name: string; namespace: string } {
  const { name, namespace = '' } = parseKey(key)
  return { name, namespace }
}

function isObserved({ metadata, spec, status }: GitRepo): boolean {
  return metadata.generation === status?.observedGeneration && (spec.forceSyncGeneration ?? 0) === (status?.updateGeneration ?? 0)
}

/** Milliseconds; infinite when polling is disabled. */
function intervalOf({ spec }: GitRepo): number {
  return spec.disablePolling ? Number.POSITIVE_INFINITY : pollingIntervalMs(spec.pollingInterval)
}

/** Polls are shared by those who look equally often: nobody gets a commit because somebody else looks. Who does not poll shares with nobody. */
function sharedPoll({ pollId }: GitAccess, intervalMs: number, key: string): string {
  return JSON.stringify([pollId, Number.isFinite(intervalMs) ? intervalMs : key])
}

/** The defaults for fields that the spec leaves empty; undefined if there are none. */
function missingDefaults({ spec }: GitRepo, { defaults = {} }: Extract<Authorization, { isAllowed: true }>): object | undefined {
  const missing = Object.entries(defaults).filter(([field, value]) => value && !spec[field as keyof typeof defaults])
  return missing.length > 0 ? Object.fromEntries(missing) : undefined
}
