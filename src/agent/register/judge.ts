// Whether the hub still takes a credential. A refusal means a new registration, so it must not be a slip.
import { BUNDLE_DEPLOYMENT } from '../../api/kinds.ts'
import { type Clock, sleep } from '../../lib/controller/clock.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError, isForbidden } from '../../lib/kube/errors.ts'
import { objectPath } from '../../lib/kube/paths.ts'

/** accepted: it works. refused: the hub says no and means it. unavailable: nobody knows, the hub does not answer as it should. */
export type Verdict = { readonly kind: 'accepted' } | { readonly kind: 'refused' | 'unavailable'; readonly reason: string }

interface JudgedHub {
  readonly client: KubeClient
  readonly namespace: string
  /** Says more about an error. */
  explain?(error: unknown): Promise<unknown>
}

/** So many refusals in a row count. Together they take longer than the 10 s for which API servers remember a token, and reach several of them. */
const REFUSALS = 3
const REFUSAL_PAUSE_MS = 6_000

/** Asks until it is sure. */
export async function judge(hub: JudgedHub, clock: Clock, signal: AbortSignal): Promise<Verdict> {
  for (let refusals = 1; ; refusals++) {
    try {
      await tryList(hub, signal)
      return { kind: 'accepted' }
    } catch (error) {
      signal.throwIfAborted()
      if (!isRefusal(error)) return { kind: 'unavailable', reason: messageOf((await hub.explain?.(error)) ?? error) }
      if (refusals >= REFUSALS) return { kind: 'refused', reason: messageOf(error) }
    }
    await sleep(clock, REFUSAL_PAUSE_MS, signal)
  }
}

/** Lists one BundleDeployment, which is what an agent lives from. Throws what the client throws. */
export async function tryList({ client, namespace }: { client: KubeClient; namespace: string }, signal: AbortSignal): Promise<void> {
  const path = objectPath({ ...BUNDLE_DEPLOYMENT, namespace }, { plural: 'bundledeployments', namespaced: true })
  const answer = await client.request<{ items?: unknown } | string>('GET', path, { query: { limit: '1' }, signal })
  if (typeof answer !== 'object' || !Array.isArray(answer?.items))
    throw new Error(`${client.server} does not answer as a Kubernetes API server does`)
}

/** The server knows who we are not, or that we may not. */
export function isRefusal(error: unknown): error is ApiError {
  return isUnauthorized(error) || isForbidden(error)
}

/** The server does not know the token, or no longer. */
export function isUnauthorized(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 401
}
