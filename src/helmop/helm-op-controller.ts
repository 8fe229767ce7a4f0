// Follows HelmOps: finds out which version of its chart each gets, writes its Bundle, and tells in the status how that went. Read `follow` from the top.
import { createHash } from 'node:crypto'
import type { Bundle } from '../api/bundle.ts'
import { chartAccess } from '../api/chart-access.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { BUNDLE, HELM_OP, POLICY } from '../api/kinds.ts'
import { HELM_OP_FINALIZER, HELM_OP_GENERATION_ANNOTATION, HELM_OP_LABEL, SHARD_REF_LABEL } from '../api/labels.ts'
import type { Policy } from '../api/policy.ts'
import type { ChartVersions } from '../lib/charts/chart-versions.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import type { EventRecorder } from '../lib/controller/events.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import { redactUrl } from '../lib/git/url.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { namespaceToDelete } from '../source/finalize.ts'
import { createPatternMatcher } from '../source/patterns.ts'
import { recordEveryMs } from '../source/poll-schedule.ts'
import type { RancherCertificates } from '../source/rancher-certificates.ts'
import { SECRET } from '../source/secrets.ts'
import { unusedValuesFiles, type WantedChart, wantedChart } from './chart.ts'
import { createMemories, type HelmOpMemory, newest } from './memory.ts'
import { authorizeHelmOp } from './policy.ts'
import { createPoller, type PollResult } from './poller.ts'
import { pollingIntervalMs, retryMs } from './schedule.ts'
import { createSecretReader } from './secret-reader.ts'
import { decideVersion, type VersionDecision } from './versions.ts'
import { checkOwner, wantedBundle } from './wanted-bundle.ts'
import { bundleRef, createWriter } from './writer.ts'

export interface HelmOpControllerDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  /** Closed when the controller stops. */
  readonly versions: ChartVersions
  /** Component `fleet-helmops`. */
  readonly events: EventRecorder
  readonly clock: Clock
  readonly log: Logger
  /** In [0, 1), for jitter. */
  readonly random: () => number
  readonly systemNamespace: string
  readonly workers: number
  /** Only HelmOps with this value of the shard label are ours; empty: those without (spec 2.2). */
  readonly shard?: string | undefined
  /** Certificates for HelmOps whose secret has none, passed on to agents. */
  readonly certificates?: RancherCertificates | undefined
  readonly metrics?: ControllerMetrics | undefined
}

const BY_SECRET = 'helmop/secret'
/** A bundle that somebody deleted comes back after this time, or with the next change of its HelmOp. */
const RESTORE_MS = 15_000
/** A question that takes longer is told of in the status. */
const ANNOUNCE_AFTER_MS = 2_000

export function createHelmOpController(deps: HelmOpControllerDeps): Controller {
  const { client, informers, clock, log } = deps
  const matches = createPatternMatcher()
  const policies = informers.informer<Policy>({ type: POLICY })
  const helmOps = informers.informer<HelmOp>({ type: HELM_OP, indexes: { [BY_SECRET]: (helmOp) => secretKeysOf(helmOp) } })
  const bundles = informers.informer<Bundle>({ type: BUNDLE })
  const secretMetadata = informers.informer<KubeObject>({ type: SECRET, metadataOnly: true })
  const secrets = createSecretReader(client, secretMetadata)
  const memories = createMemories()
  const writer = createWriter(deps)
  const poller = createPoller({ versions: deps.versions, clock, log, random: deps.random, onPolled: (key) => controller.enqueue(key) })

  function authorizationOf(helmOp: HelmOp) {
    return authorizeHelmOp(helmOp, policies.list(helmOp.metadata.namespace), matches)
  }

  /** The policies of a namespace may name a secret for HelmOps that name none. */
  function secretKeysOf(helmOp: HelmOp): string[] {
    const { namespace } = helmOp.metadata
    const names = [helmOp.spec.helmSecretName].filter((name) => name !== undefined && name !== '')
    return names.map((name) => keyOf({ namespace, name: name ?? '' }))
  }

  async function reconcile(key: string): Promise<ReconcileResult> {
    const { name, namespace } = parseKey(key)
    const cached = helmOps.get(name, namespace)
    if (!cached || (cached.metadata.labels?.[SHARD_REF_LABEL] ?? '') !== (deps.shard ?? '')) return forget(key)
    const memory = memories.of(key, cached, clock.now())
    if (cached.metadata.deletionTimestamp) return finalize(key, cached, memory)
    const helmOp = await writer.claim(cached, memory)
    try {
      return await follow(key, helmOp, memory)
    } catch (error) {
      if (error instanceof WaitingError && error.retryAfterMs >= ANNOUNCE_AFTER_MS)
        await writer.status(helmOp, memory, { waitingFor: error.message, isPolling: isPolled(helmOp) })
      if (!(error instanceof TerminalError)) throw error
      poller.forget(key)
      await writer.status(helmOp, memory, { refusal: error })
      return {} // what has to change is watched
    }
  }

  function forget(key: string): ReconcileResult {
    poller.forget(key)
    memories.forget(key)
    return {}
  }

  /**
   * The bundles go at their own pace; the HelmOp does not wait for them (spec 8.7). The namespace is that of the bundle, and goes before it is too late to know:
   * what was never accepted deletes nothing.
   */
  async function finalize(key: string, cached: HelmOp, memory: HelmOpMemory): Promise<ReconcileResult> {
    poller.forget(key)
    const helmOp = newest(cached, memory.written)
    if (!helmOp.metadata.finalizers?.includes(HELM_OP_FINALIZER)) return {}
    const bundle = bundleOf(helmOp, memory)
    if (bundle && isOwned(bundle, helmOp)) {
      const namespace = namespaceOf(bundle)
      if (namespace) await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
      const { uid, deletionTimestamp } = bundle.metadata
      if (!deletionTimestamp) await client.delete(bundleRef(helmOp), uid ? { uid } : {})
    }
    await writer.release(helmOp, memory)
    return {}
  }

  function namespaceOf({ apiVersion, kind, metadata, spec }: Bundle): string | undefined {
    const { deleteNamespace, keepResources, namespace: targetNamespace } = spec
    const settings = { repo: '', deleteNamespace, keepResources, targetNamespace }
    return namespaceToDelete({ apiVersion, kind, metadata, spec: settings }, deps.systemNamespace)
  }

  async function follow(key: string, helmOp: HelmOp, memory: HelmOpMemory): Promise<ReconcileResult> {
    const { metadata, spec } = helmOp
    const wanted = wantedChart(spec.helm)
    const authorization = authorizationOf(helmOp)
    if (!authorization.isAllowed) return refuse(key, helmOp, memory, authorization.message)
    const { helmSecretName } = authorization
    const bundle = bundleOf(helmOp, memory)
    checkOwner(helmOp, bundle)
    secrets.check(metadata.namespace, helmSecretName)
    const caBundle = await deps.certificates?.read()

    const intervalMs = pollingIntervalMs(helmOp, wanted)
    const isPolling = Number.isFinite(intervalMs)
    const state = { wanted, isPolling, generation: metadata.generation ?? 0, bundle }
    const before = isPolling ? undefined : decideVersion({ ...state, answer: undefined })
    const isKnown = before?.kind === 'settled'
    if (isKnown) poller.forget(key)
    const answer = isKnown ? undefined : await ask(key, helmOp, memory, wanted, { intervalMs, helmSecretName, caBundle })
    const decision = before?.kind === 'settled' ? before : decideVersion({ ...state, answer })
    if (decision.kind === 'ask') return announceLater(helmOp, memory, { wanted, isPolling })
    memory.askingSince = undefined

    const version = decision.kind === 'settled' ? decision.version : decision.keep
    if (version !== undefined) {
      const settledFor = settledGeneration(helmOp, bundle, { wanted, isPolling, isSettled: decision.kind === 'settled' })
      const facts = { version, serviceAccount: authorization.serviceAccount, helmSecretName, caBundle, settledFor }
      await writer.bundle(helmOp, memory, bundle, wantedBundle(helmOp, facts))
    }
    return report(helmOp, memory, { decision, version, answer, intervalMs })
  }

  async function refuse(key: string, helmOp: HelmOp, memory: HelmOpMemory, message: string): Promise<ReconcileResult> {
    poller.forget(key)
    await writer.status(helmOp, memory, { refusal: new TerminalError(message), isPolicyViolation: true })
    return {} // policies are watched
  }

  /** What is known of the repository. Without polling only an answer since the last change counts, and the question is repeated here. */
  async function ask(
    key: string,
    helmOp: HelmOp,
    memory: HelmOpMemory,
    { repo, chart }: WantedChart,
    { intervalMs, helmSecretName, caBundle }: { intervalMs: number; helmSecretName: string; caBundle: string | undefined },
  ): Promise<PollResult | undefined> {
    const { metadata, spec } = helmOp
    const credentials = await secrets.read(metadata.namespace, helmSecretName)
    const access = chartAccess(repo, credentials, { insecureSkipTLSVerify: spec.insecureSkipTLSVerify, caBundle })
    const id = digest([repo, access])
    const answer = poller.follow(key, { id, repo, chart, access, intervalMs })
    if (Number.isFinite(intervalMs)) {
      memory.question = undefined
      return answer
    }
    const now = clock.now()
    const question = digest([id, chart, metadata.generation])
    if (memory.question?.id !== question) memory.question = { id: question, since: now, failures: 0, retryAt: undefined }
    else if (memory.question.retryAt !== undefined && now >= memory.question.retryAt) {
      memory.question.since = now
      memory.question.retryAt = undefined
    }
    const { since } = memory.question
    poller.refresh(key, since)
    return answer && answer.at >= since ? answer : undefined
  }

  async function announceLater(
    helmOp: HelmOp,
    memory: HelmOpMemory,
    { wanted, isPolling }: { wanted: WantedChart; isPolling: boolean },
  ): Promise<ReconcileResult> {
    memory.askingSince ??= clock.now()
    if (clock.now() - memory.askingSince < ANNOUNCE_AFTER_MS) return { requeueAfterMs: ANNOUNCE_AFTER_MS } // usually the answer comes first
    const name = wanted.chart || redactUrl(wanted.repo)
    await writer.status(helmOp, memory, { waitingFor: `asking the repository for versions of the chart ${name}`, isPolling })
    return {} // the answer of the poller comes
  }

  async function report(
    helmOp: HelmOp,
    memory: HelmOpMemory,
    {
      decision,
      version,
      answer,
      intervalMs,
    }: { decision: VersionDecision; version: string | undefined; answer: PollResult | undefined; intervalMs: number },
  ): Promise<ReconcileResult> {
    const isPolling = Number.isFinite(intervalMs)
    const error = decision.kind === 'failed' ? decision.error : undefined
    // Of a repository that does not answer, polling tells; what is deployed is what was accepted.
    const refusal = isPolling && version !== undefined ? undefined : error
    await writer.status(helmOp, memory, {
      refusal,
      remark: unusedValuesFiles(helmOp.spec),
      isPolling,
      poll: answer && { at: answer.at, error },
      version,
      isRecordDue: isPolling && clock.now() - memory.recordedAt >= recordEveryMs(intervalMs),
    })
    if (isPolling || !error || !memory.question) {
      if (!error) memory.question = undefined
      return {}
    }
    return { requeueAfterMs: retryIn(memory.question, answer) }
  }

  /** The time to the next try; a new failure moves it further away. */
  function retryIn(question: NonNullable<HelmOpMemory['question']>, answer: PollResult | undefined): number {
    const now = clock.now()
    if (question.retryAt === undefined) {
      question.failures += 1
      const asked = (answer?.error as { retryAfterMs?: number } | undefined)?.retryAfterMs ?? 0
      question.retryAt = now + Math.max(retryMs(question.failures, deps.random()), asked)
    }
    return Math.max(question.retryAt - now, 1)
  }

  function bundleOf({ metadata }: HelmOp, memory: HelmOpMemory): Bundle | undefined {
    const cached = bundles.get(metadata.name, metadata.namespace)
    if (cached) return newest(cached, memory.bundle)
    return memory.bundle // forgotten when the cache says that it is gone
  }

  const controller = createController({
    name: 'helmop',
    workers: deps.workers,
    reconcile,
    clock,
    log,
    metrics: deps.metrics,
  })
  controller.watch(helmOps)
  controller.watch(secretMetadata, ({ object }) => concernedBy(object))
  controller.watch(policies, ({ object }) => helmOps.list(object.metadata.namespace).map((helmOp) => keyOf(helmOp)))
  bundles.subscribe(({ type, object, old }) => {
    const helmOp = helmOps.get(object.metadata.name, object.metadata.namespace)
    if (!helmOp) return
    const memory = memories.of(keyOf(helmOp), helmOp, clock.now())
    if (type === 'deleted') {
      if (memory.bundle?.metadata.uid === object.metadata.uid) memory.bundle = undefined
      controller.enqueueAfter(keyOf(helmOp), RESTORE_MS)
    } else if (type === 'modified' && isOwned(object, helmOp) !== (old !== undefined && isOwned(old, helmOp)))
      controller.enqueue(keyOf(helmOp))
  })

  /** A secret that is named by a policy concerns all HelmOps of its namespace, one of Rancher all there are. */
  function concernedBy(secret: KubeObject): string[] {
    if (deps.certificates?.areIn(secret)) return helmOps.list().map((helmOp) => keyOf(helmOp))
    const { name, namespace } = secret.metadata
    const isDefault = policies.list(namespace).some(({ helmOp }) => helmOp?.defaultHelmSecretName === name)
    const concerned = isDefault ? helmOps.list(namespace) : helmOps.by(BY_SECRET, keyOf(secret))
    return concerned.map((helmOp) => keyOf(helmOp))
  }

  return {
    ...controller,
    async run(signal) {
      try {
        await controller.run(signal)
      } finally {
        poller.stop()
        await deps.versions.close()
      }
    },
  }
}

function isOwned(bundle: Bundle, { metadata }: HelmOp): boolean {
  return bundle.metadata.labels?.[HELM_OP_LABEL] === metadata.name
}

function isPolled(helmOp: HelmOp): boolean {
  return Number.isFinite(pollingIntervalMs(helmOp, wantedChart(helmOp.spec.helm)))
}

/** What the annotation of the bundle is to be: the generation for a range that is not polled, if its version was found; the one it has otherwise. */
function settledGeneration(
  { metadata }: HelmOp,
  bundle: Bundle | undefined,
  { wanted, isPolling, isSettled }: { wanted: WantedChart; isPolling: boolean; isSettled: boolean },
): string | undefined {
  if (wanted.kind !== 'range' || isPolling) return undefined
  return isSettled ? String(metadata.generation ?? 0) : bundle?.metadata.annotations?.[HELM_OP_GENERATION_ANNOTATION]
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64')
}
