// Looks for the newest tags of images (spec 8.9). Its keys are ImageScans.
import type { ImageScan } from '../api/image-scan.ts'
import { IMAGE_SCAN } from '../api/kinds.ts'
import type { Clock } from '../lib/controller/clock.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { ControllerMetrics } from '../lib/controller/metrics.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { OciError } from '../lib/oci/errors.ts'
import { recordEveryMs } from '../source/poll-schedule.ts'
import { SECRET } from '../source/secrets.ts'
import { newestImage } from './newest.ts'
import { chooseTag } from './policy.ts'
import { type Question, questionOf } from './question.ts'
import { type Answer, createQuestions, DIGEST_RETRY_MS } from './questions.ts'
import type { ImageRegistry } from './registry.ts'
import { intervalMsOf, nextQuestionMs } from './scan-schedule.ts'
import { type Finding, goodUntil, nextScanStatus } from './scan-status.ts'
import { createSecretCache } from './secret-cache.ts'
import { filteredTags } from './tag-filter.ts'

export interface ImageScanControllerDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly registry: ImageRegistry
  readonly log: Logger
  readonly clock: Clock
  /** in [0, 1), for jitter */
  readonly random: () => number
  readonly workers: number
  readonly metrics?: ControllerMetrics | undefined
  /** Whether a scan is of our shard. */
  readonly handles: (object: KubeObject) => boolean
}

interface Memory {
  /** What was asked for; when it changes, the registry is asked anew. */
  request: string
  /** `lastScanTime` has not been written since, in milliseconds. */
  recordedAt: number
}

const BY_SECRET = 'imagescan/secret'
/** After a change of the spec an answer that is younger still counts. */
const FRESH_MS = 10_000
const OWNED = [
  'conditions',
  'lastScanTime',
  'latestImage',
  'latestTag',
  'latestDigest',
  'observedGeneration',
  'canonicalImageName',
] as const

/** Keeps the status of ImageScans. What is suspended keeps what it has. */
export function createImageScanController(deps: ImageScanControllerDeps): Controller {
  const { client, informers, registry, clock, random, handles } = deps
  const log = deps.log.child({ controller: 'imagescan' })
  const scans = informers.informer<ImageScan>({ type: IMAGE_SCAN, indexes: { [BY_SECRET]: secretKeysOf } })
  const secretMetadata = informers.informer<KubeObject>({ type: SECRET, metadataOnly: true })
  const secrets = createSecretCache(client, secretMetadata)
  const statuses = createStatusWriter(client)
  const questions = createQuestions({ registry, clock, random })
  const memories = new Map<string, Memory>()

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { name, namespace } = parseKey(key)
    const cached = scans.get(name, namespace)
    if (!cached || cached.metadata.deletionTimestamp || cached.spec.suspend || !handles(cached)) return forget(key)
    const scan = statuses.latest(cached)
    const question = await questionFor(scan)
    if (question instanceof TerminalError) {
      questions.forget(key)
      await report(cached, { error: question })
      return {} // the event of the scan, or of its secret, comes
    }
    const intervalMs = intervalMsOf(scan.spec.interval)
    const known = questions.follow(key, question)
    const memory = memoryOf(key)
    const request = JSON.stringify([scan.metadata.generation, question.id])
    const isNew = memory.request !== request
    memory.request = request
    const restMs = known ? 0 : (goodUntil(scan, intervalMs) ?? 0) - clock.now()
    if (restMs > 0) return { requeueAfterMs: Math.min(restMs, intervalMs) }

    const answer = known && isCurrent(known, intervalMs, isNew) ? known : await questions.ask(key, signal)
    const finding = await findingOf(key, scan, question, answer, signal)
    await report(cached, finding, clock.now() - memory.recordedAt >= recordEveryMs(intervalMs))
    const waitMs = answer.at + nextQuestionMs(intervalMs, answer) - clock.now()
    const missing = 'tags' in answer && 'error' in finding && finding.error instanceof OciError ? finding.error : undefined
    return { requeueAfterMs: Math.max(missing ? Math.min(waitMs, DIGEST_RETRY_MS) : waitMs, missing?.retryAfterMs ?? 0, 1) }
  }

  async function questionFor(scan: ImageScan): Promise<Question | TerminalError> {
    const secret = await secrets.find(scan.metadata.namespace, scan.spec.secretRef?.name)
    try {
      return questionOf(scan, secret)
    } catch (error) {
      if (error instanceof TerminalError) return error
      throw error
    }
  }

  function isCurrent(answer: Answer, intervalMs: number, isNew: boolean): boolean {
    const age = clock.now() - answer.at
    return age < nextQuestionMs(intervalMs, answer) && (!isNew || age < FRESH_MS)
  }

  async function findingOf(key: string, scan: ImageScan, question: Question, answer: Answer, signal: AbortSignal): Promise<Finding> {
    const { canonical } = question
    if ('error' in answer) return { canonical, error: withAdvice(answer.error, scan) }
    try {
      const tag = await tagOf(key, scan, answer.tags, canonical, signal)
      const digest = await questions.digest(key, tag, signal)
      if (digest !== undefined) return { canonical, tag, digest, at: answer.at }
      return {
        canonical,
        error: new OciError('not-found', `the registry lists ${canonical}:${tag} but has no such image: it is tried again`),
      }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof TerminalError || error instanceof OciError) return { canonical, error: withAdvice(error, scan) }
      throw error
    }
  }

  async function tagOf(key: string, { spec }: ImageScan, tags: readonly string[], canonical: string, signal: AbortSignal): Promise<string> {
    const choice = chooseTag(spec.policy, await filteredTags(spec.filterTags, tags, canonical), canonical)
    if ('tag' in choice) return choice.tag
    const times = {
      digest: (tag: string, limited: AbortSignal) => questions.digest(key, tag, limited),
      created: (digest: string, limited: AbortSignal) => questions.created(key, digest, limited),
    }
    return newestImage(choice.newestOf, times, canonical, signal)
  }

  async function report(cached: ImageScan, finding: Finding, isRecordDue = false): Promise<void> {
    const scan = statuses.latest(cached)
    const next = nextScanStatus(scan, finding, isRecordDue, clock.now())
    if (!(await statuses.write(cached, next, { owned: OWNED }))) return
    memoryOf(keyOf(cached)).recordedAt = clock.now()
    const about = { imageScan: keyOf(cached), image: next.canonicalImageName }
    if ('error' in finding) log.warn({ ...about, reason: messageOf(finding.error) }, 'image could not be scanned')
    else if (next.latestTag !== scan.status?.latestTag || next.latestDigest !== scan.status?.latestDigest)
      log.info({ ...about, tag: finding.tag, digest: finding.digest }, 'new image found')
  }

  function memoryOf(key: string): Memory {
    const known = memories.get(key)
    if (known) return known
    const memory = { request: '', recordedAt: clock.now() }
    memories.set(key, memory)
    return memory
  }

  function forget(key: string): ReconcileResult {
    questions.forget(key)
    memories.delete(key)
    return {}
  }

  const controller = createController({ name: 'imagescan', workers: deps.workers, reconcile, clock, log, metrics: deps.metrics })
  controller.watch(scans)
  controller.watch(secretMetadata, ({ object }) => scans.by(BY_SECRET, keyOf(object)).map((scan) => keyOf(scan)))
  return {
    ...controller,
    async run(signal) {
      try {
        await controller.run(signal)
      } finally {
        questions.close()
      }
    },
  }
}

function secretKeysOf({ metadata: { namespace }, spec }: ImageScan): string[] {
  return spec.secretRef?.name ? [keyOf({ namespace, name: spec.secretRef.name })] : []
}

/** Where the user can put what the registry asks for. */
function withAdvice(error: unknown, { spec }: ImageScan): unknown {
  if (!(error instanceof OciError)) return error
  const where = spec.secretRef?.name
    ? `secret "${spec.secretRef.name}"`
    : 'a secret of type kubernetes.io/dockerconfigjson, named in secretRef'
  if (error.kind === 'certificate') return new OciError(error.kind, `${error.message} (as cacerts in ${where})`)
  if (error.kind === 'authentication') return new OciError(error.kind, `${error.message} (in ${where})`)
  return error
}
