// How the agent gets and keeps its credential for the hub (spec 3.5). Start here.
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../../api/labels.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import { isConflict } from '../../lib/kube/errors.ts'
import type { Upstream } from '../upstream.ts'
import { register } from './attempt.ts'
import type { RegistrationOptions } from './options.ts'
import { createSecretBell } from './secret-bell.ts'
import { deleteBootstrap, readSecrets, type Secret } from './secrets.ts'
import { judgeStored, leadsElsewhere, type Stored } from './stored.ts'

export type { RegistrationOptions } from './options.ts'

const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 60_000

/** failed: to be tried again. waiting: somebody has to do something first. */
type Outcome =
  | { readonly kind: 'registered'; readonly upstream: Upstream }
  | { readonly kind: 'failed' | 'waiting'; readonly reason: string }

/**
 * The way to the hub. Uses the credential that is there unless the hub refuses it for good; otherwise registers with the bootstrap secret, or waits for one.
 * A hub that cannot be reached is waited for. Tries for ever, at least once a minute and as soon as a secret changes; rejects only with the reason of the signal.
 */
export async function ensureRegistered(options: RegistrationOptions, signal: AbortSignal): Promise<Upstream> {
  const { log, random } = options
  const bell = createSecretBell(options)
  let reported = ''
  let pause = FIRST_RETRY_MS
  try {
    for (;;) {
      const { rings } = bell
      const outcome = await advance(options, signal).catch((error: unknown): Outcome => ({ kind: 'failed', reason: messageOf(error) }))
      signal.throwIfAborted()
      if (outcome.kind === 'registered') return outcome.upstream
      const { kind, reason } = outcome
      if (reason === reported) log.debug({ reason }, 'still not registered')
      else if (kind === 'waiting') log.info({ reason }, 'waiting for registration')
      else log.warn({ reason }, 'not registered, trying again')
      reported = reason
      await bell.wait(rings, pause * (0.8 + 0.2 * random()), signal)
      pause = bell.rings === rings ? Math.min(pause * 2, LONGEST_RETRY_MS) : FIRST_RETRY_MS
    }
  } finally {
    await bell.stop()
  }
}

async function advance(options: RegistrationOptions, signal: AbortSignal): Promise<Outcome> {
  const { log } = options
  const { bootstrap, credential } = await readSecrets(options, signal)
  const stored = await judgeStored(credential, options, signal)
  if (stored.kind === 'accepted') {
    const { cluster, deploymentNamespace } = stored.upstream
    log.info({ hub: stored.server, cluster, deploymentNamespace }, 'the hub accepts the credential')
    if (bootstrap && (await leadsElsewhere(bootstrap, stored, options)))
      log.warn({ hub: stored.server }, 'the bootstrap secret names another hub or CA, but the agent has a hub: it is ignored')
    await forgetBootstrap(options, bootstrap, signal)
    return { kind: 'registered', upstream: stored.upstream }
  }
  if (!bootstrap) return withoutBootstrap(stored, options.namespace)
  if (stored.kind === 'unavailable' && !(await leadsElsewhere(bootstrap, stored, options))) return { kind: 'failed', reason: stored.reason }
  log.info({ reason: stored.reason }, 'registering')
  const upstream = await register(options, { bootstrap, credential }, signal)
  await forgetBootstrap(options, bootstrap, signal)
  return { kind: 'registered', upstream }
}

function withoutBootstrap({ kind, reason }: Exclude<Stored, { kind: 'accepted' }>, namespace: string): Outcome {
  if (kind === 'unavailable')
    return {
      kind: 'failed',
      reason: `${reason}; to register with another hub delete secret ${namespace}/${AGENT_NAME} and create ${AGENT_BOOTSTRAP_NAME}`,
    }
  const advice = 'import the cluster on the hub, or install chart fleet-agent with a token'
  return { kind: 'waiting', reason: `${reason}, and there is no secret ${namespace}/${AGENT_BOOTSTRAP_NAME}: ${advice}` }
}

/** It has done its work. If it stays, the next start deletes it. */
async function forgetBootstrap(options: RegistrationOptions, secret: Secret | undefined, signal: AbortSignal): Promise<void> {
  if (!secret) return
  const fields = { secret: `${options.namespace}/${AGENT_BOOTSTRAP_NAME}` }
  try {
    await deleteBootstrap(options, secret, signal)
    options.log.info(fields, 'bootstrap secret deleted')
  } catch (error) {
    if (isConflict(error)) options.log.info(fields, 'bootstrap secret has been replaced meanwhile, leaving it alone')
    else options.log.warn({ ...fields, reason: messageOf(error) }, 'bootstrap secret could not be deleted')
  }
}
