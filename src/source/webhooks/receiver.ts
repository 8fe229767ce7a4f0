// From a request to hints that are written: caches, secrets, and limits for strangers around the pure `receive.ts`.
import type { GitRepo } from '../../api/git-repo.ts'
import { GIT_REPO } from '../../api/kinds.ts'
import type { Clock } from '../../lib/controller/clock.ts'
import { keyOf } from '../../lib/controller/keys.ts'
import type { Logger } from '../../lib/controller/log.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import { createTokenBuckets } from '../../lib/controller/token-buckets.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { InformerFactory } from '../../lib/kube/informer.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { SECRET } from '../secrets.ts'
import { writeHint } from './hints.ts'
import { type Decision, type Hint, receive, triage } from './receive.ts'
import { createWebhookSecrets } from './secrets.ts'
import type { WebhookRequest } from './types.ts'

export interface ReceiverDeps {
  readonly client: KubeClient
  readonly informers: InformerFactory
  readonly systemNamespace: string
  readonly clock: Clock
  readonly log: Logger
}

export type Answer = Pick<Decision, 'status' | 'body'>

/** Answers a request. `readBody` is only called for what looks like a push. */
export type AnswerWebhook = (
  request: Omit<WebhookRequest, 'body'> & { readonly address: string },
  readBody: () => Promise<Buffer>,
) => Promise<Answer>

/** Requests without a valid signature: this many at once from one address, then one each so many milliseconds. */
const STRANGERS = { burst: 200, refillMs: 50, maxKeys: 1_000 }
/** Looks at a server that strangers may cause for one GitRepo. */
const STRANGE_HINTS = { burst: 20, refillMs: 3_000, maxKeys: 10_000 }
const WARNINGS = { burst: 5, refillMs: 60_000, maxKeys: 100 }
const REMINDERS = { burst: 1, refillMs: 24 * 3_600_000, maxKeys: 10_000 }
const CACHES_MS = 5_000
const WRITES_AT_A_TIME = 16

export function createReceiver({ client, informers, systemNamespace, clock, log }: ReceiverDeps): AnswerWebhook {
  const gitRepos = informers.informer<GitRepo>({ type: GIT_REPO })
  const metadata = informers.informer<KubeObject>({ type: SECRET, metadataOnly: true })
  const secrets = createWebhookSecrets(client, metadata, systemNamespace)
  const strangers = createTokenBuckets({ clock, ...STRANGERS })
  const strangeHints = createTokenBuckets({ clock, ...STRANGE_HINTS })
  const warnings = createTokenBuckets({ clock, ...WARNINGS })
  const reminders = createTokenBuckets({ clock, ...REMINDERS })

  async function areCachesFilled(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(CACHES_MS)
      await Promise.all([gitRepos.waitSynced(signal), metadata.waitSynced(signal)])
      return true
    } catch {
      // the API server is away, or we are about to stop: the sender is told to come again
      return false
    }
  }

  /** Returns how many hints were left out because strangers gave too many of them. */
  async function pass(hints: readonly Hint[]): Promise<number> {
    const taken = hints.filter(({ isSigned, gitRepo }) => isSigned || strangeHints.take(keyOf(gitRepo)))
    await inParallel(taken, WRITES_AT_A_TIME, async (hint) => {
      const about = { gitRepo: keyOf(hint.gitRepo), commit: hint.commit }
      if (!hint.isSigned && reminders.take(about.gitRepo))
        log.warn(about, 'pushes are taken from everybody: give the GitRepo a webhookSecret')
      await writeHint({ client, clock }, hint)
      log.info(about, 'push received')
    })
    return hints.length - taken.length
  }

  function report({ status, provider, problem }: Decision, address: string): void {
    if (problem === undefined) return
    const isTold = warnings.take(problem)
    log[isTold ? 'warn' : 'debug']({ status, provider, problem, address }, 'webhook refused')
  }

  return async ({ address, ...request }, readBody) => {
    const provider = triage(request)
    if ('status' in provider) {
      report(provider, address)
      return provider
    }
    const body = await readBody()
    if (!(await areCachesFilled())) return { status: 503, body: 'not ready yet' }
    const all = gitRepos.list()
    const secretOf = await secrets.load(all)
    const decision = receive(provider, { ...request, body }, { gitRepos: all, secretOf, admitStranger: () => strangers.take(address) })
    report(decision, address)
    const leftOut = await pass(decision.hints)
    return leftOut > 0 ? { status: 429, body: 'too many requests' } : decision
  }
}
