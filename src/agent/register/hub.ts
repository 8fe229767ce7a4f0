// Ways to the hub: kubeconfigs, whom they trust, and clients that use them.
import type { Clock } from '../../lib/controller/clock.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { type KubeConnection, loadConnection } from '../../lib/kube/connection.ts'
import { ApiError } from '../../lib/kube/errors.ts'
import { isUntrusted, presentedCertificate } from '../../lib/kube/presented-certificate.ts'
import type { ProxySettings } from '../../lib/kube/proxy.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import type { Bootstrap } from './bootstrap.ts'
import type { TlsMode } from './settings.ts'

/** A hub that can be talked to. */
export interface Hub {
  readonly client: KubeClient
  /** Namespace of the kubeconfig's context. */
  readonly namespace: string
  /** PEM; empty when the certificates of the system decide. */
  readonly ca: string
  /** The error with what is known of a certificate that is not trusted; any other error as it is. */
  explain(error: unknown): Promise<unknown>
}

export interface HubOptions {
  readonly proxy?: ProxySettings | undefined
  readonly clock: Clock
  random(): number
}

const USER_AGENT = 'fleet-agent'
const CALL_MS = 30_000

/** Opens a kubeconfig that came out of a Secret; close the client. Throws KubeconfigError when it cannot be used; that never shows a credential. */
export async function openHub(kubeconfig: string, { proxy, clock, random }: HubOptions): Promise<Hub> {
  const connection = await loadConnection({ kubeconfigText: kubeconfig, trusted: false, proxy, clock })
  const { ca } = connection.tls()
  const client = createClient(connection, { clock, random, userAgent: USER_AGENT, timeoutMs: CALL_MS })
  const explain = (error: unknown): Promise<unknown> => explained(error, connection)
  return { client, namespace: connection.namespace, ca: typeof ca === 'string' ? ca : '', explain }
}

async function explained(error: unknown, connection: KubeConnection): Promise<unknown> {
  if (!isUntrusted(error)) return error
  const presented = await presentedCertificate(connection)
  const pinned = typeof connection.tls().ca === 'string' ? 'the CA that the agent was given' : 'none of the CAs of this machine'
  return new Error(
    `the hub ${connection.server} presents a certificate${presented ? ` with ${presented}` : ''}, which ${pinned} did not issue or which is not for this server (${messageOf(error.cause)}): correct apiServerCA or apiServerURL in the configuration of the hub, or in the values of chart fleet-agent`,
    { cause: error },
  )
}

/** A kubeconfig for one server. Without a CA the certificates of the system decide. */
export function kubeconfigText({ server, ca, token, namespace }: { server: string; ca: string; token: string; namespace: string }): string {
  const cluster = { server, ...(ca.trim() ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') } : {}) }
  return stringifyYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'default',
    clusters: [{ name: 'hub', cluster }],
    users: [{ name: 'agent', user: token ? { token } : {} }],
    contexts: [{ name: 'default', context: { cluster: 'hub', user: 'agent', namespace } }],
  })
}

/** The CA that the agent pins (spec 3.5); empty when the certificates of the system decide. Throws when the mode asks for what is not there. */
export async function pinnedCa(
  { server, ca }: Pick<Bootstrap, 'server' | 'ca'>,
  mode: TlsMode,
  options: HubOptions,
  signal: AbortSignal,
): Promise<string> {
  if (mode === 'strict' && !ca.trim())
    throw new Error('agentTLSMode is strict, but the bootstrap secret has no apiServerCA: set the CA of the hub, or use system-store')
  if (mode === 'strict' && /^http:/i.test(server)) throw new Error('agentTLSMode is strict, but apiServerURL is not encrypted: use https')
  if (mode !== 'system-store' || !ca.trim()) return ca
  return (await systemTrusts(server, options, signal)) ? '' : ca
}

/** Any answer will do, it only counts who gives it. No credential is sent. */
async function systemTrusts(server: string, options: HubOptions, signal: AbortSignal): Promise<boolean> {
  const { client } = await openHub(kubeconfigText({ server, ca: '', token: '', namespace: 'default' }), options)
  try {
    await client.serverVersion({ signal })
    return true
  } catch (error) {
    signal.throwIfAborted()
    // a hub that cannot be reached at all will not answer the request that follows either
    return error instanceof ApiError
  } finally {
    await client.close()
  }
}
