// Beside the agent's work: notices that the hub has ended the credential and that there is another way to it.
import { AGENT_NAME } from '../../api/labels.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { judge } from './judge.ts'
import type { RegistrationOptions } from './options.ts'
import { createSecretBell } from './secret-bell.ts'
import { type LocalSecrets, readSecrets, secretText } from './secrets.ts'
import { judgeStored } from './stored.ts'

export interface WatchCredentialOptions extends RegistrationOptions {
  /** What the agent works with, as `ensureRegistered` gave it. */
  readonly kubeconfig: string
  /** The client of that kubeconfig, and the namespace of its context. */
  readonly hub: { readonly client: KubeClient; readonly namespace: string }
}

/** lost: `ensureRegistered` will find another credential, or make one. stopped: the signal was aborted. */
export type CredentialEnd = 'lost' | 'stopped'

const FIRST_CHECK_MS = 10_000
const LONGEST_CHECK_MS = 300_000

/**
 * Resolves with `lost` when the agent has to start over: the hub refuses its credential for good and a bootstrap secret is there, or the credential secret holds another
 * one that works. Idle as long as neither secret is new: two watches in the agent's own cluster, no request to the hub.
 */
export async function watchCredential(options: WatchCredentialOptions, signal: AbortSignal): Promise<CredentialEnd> {
  const { log } = options
  const bell = createSecretBell(options)
  let pause = FIRST_CHECK_MS
  try {
    for (;;) {
      const { rings } = bell
      const finding = await look(options, signal).catch((error: unknown): Finding => {
        signal.throwIfAborted()
        log.debug({ reason: messageOf(error) }, 'credential could not be checked')
        return 'again'
      })
      if (finding === 'lost') return 'lost'
      await bell.wait(rings, finding === 'again' ? pause : Number.POSITIVE_INFINITY, signal)
      pause = bell.rings === rings ? Math.min(pause * 2, LONGEST_CHECK_MS) : FIRST_CHECK_MS
    }
  } catch (error) {
    if (signal.aborted) return 'stopped'
    throw error
  } finally {
    await bell.stop()
  }
}

/** again: there is something that may become important without an event. quiet: there is not. */
type Finding = 'lost' | 'again' | 'quiet'

async function look(options: WatchCredentialOptions, signal: AbortSignal): Promise<Finding> {
  const { kubeconfig, hub, clock, log, namespace } = options
  const secrets = await readSecrets(options, signal)
  if (holdsAnother(secrets, kubeconfig) && (await judgeStored(secrets.credential, options, signal)).kind === 'accepted') {
    log.info({ secret: `${namespace}/${AGENT_NAME}` }, 'the credential has been replaced, starting over with the new one')
    return 'lost'
  }
  if (!secrets.bootstrap) return holdsAnother(secrets, kubeconfig) ? 'again' : 'quiet'
  const verdict = await judge(hub, clock, signal)
  if (verdict.kind !== 'refused') return 'again'
  log.warn({ hub: hub.client.server, reason: verdict.reason }, 'the hub refuses the credential, starting over with the bootstrap secret')
  return 'lost'
}

function holdsAnother({ credential }: LocalSecrets, kubeconfig: string): boolean {
  const stored = secretText(credential, 'kubeconfig')
  return stored !== '' && stored !== kubeconfig
}
