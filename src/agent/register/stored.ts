// What the credential is worth that an earlier registration has left.
import { AGENT_NAME } from '../../api/labels.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import type { Upstream } from '../upstream.ts'
import { readBootstrap } from './bootstrap.ts'
import { type HubOptions, kubeconfigText, openHub } from './hub.ts'
import { judge } from './judge.ts'
import { type Secret, upstreamOf } from './secrets.ts'

/** Where a credential leads to. */
export interface Address {
  readonly server: string
  /** PEM; empty when the certificates of the system decide. */
  readonly ca: string
}

/** useless: it is missing, or cannot be used, or the hub refuses it. unavailable: the hub does not answer. The reason names the secret. */
export type Stored =
  | ({ readonly kind: 'accepted'; readonly upstream: Upstream } & Address)
  | ({ readonly kind: 'unavailable'; readonly reason: string } & Address)
  | { readonly kind: 'useless'; readonly reason: string }

/** Asks the hub. Throws only when the signal is aborted. */
export async function judgeStored(
  secret: Secret | undefined,
  options: HubOptions & { readonly namespace: string },
  signal: AbortSignal,
): Promise<Stored> {
  const name = `secret ${options.namespace}/${AGENT_NAME}`
  if (!secret) return { kind: 'useless', reason: `${name} does not exist` }
  const opened = await openStored(secret, options).catch((error: unknown) => `${name} cannot be used: ${messageOf(error)}`)
  if (typeof opened === 'string') return { kind: 'useless', reason: opened }
  const { upstream, hub } = opened
  try {
    const verdict = await judge(hub, options.clock, signal)
    const address = { server: hub.client.server, ca: hub.ca }
    if (verdict.kind === 'accepted') return { kind: 'accepted', upstream, ...address }
    if (verdict.kind === 'refused') return { kind: 'useless', reason: `the hub refuses the credential in ${name}: ${verdict.reason}` }
    return { kind: 'unavailable', reason: `the hub does not answer as it should: ${verdict.reason}`, ...address }
  } finally {
    await hub.client.close()
  }
}

async function openStored(secret: Secret, options: HubOptions) {
  const upstream = upstreamOf(secret)
  return { upstream, hub: await openHub(upstream.kubeconfig, options) }
}

/**
 * Whether a bootstrap secret names another hub, or another CA for it, than the credential does. Then somebody has moved the hub, and waiting for the old address
 * would never end.
 */
export async function leadsElsewhere(bootstrap: Secret, known: Address, options: HubOptions): Promise<boolean> {
  const address = await addressOf(bootstrap, options)
  if (!address) return false
  const anotherCa = address.ca.trim() !== '' && known.ca.trim() !== '' && address.ca.trim() !== known.ca.trim()
  return address.server !== known.server || anotherCa
}

/** Undefined when the secret is of no use. */
async function addressOf(bootstrap: Secret, options: HubOptions): Promise<Address | undefined> {
  try {
    const { server, ca } = readBootstrap(bootstrap)
    const { client } = await openHub(kubeconfigText({ server, ca, token: '', namespace: 'default' }), options)
    await client.close()
    return { server: client.server, ca }
  } catch {
    return undefined // left over from something else: no reason to leave a hub
  }
}
