// The way to a cluster that is imported: by the kubeconfig of a secret, which others wrote and which is trusted with nothing (security: kubeconfigs).

import { createSecureContext } from 'node:tls'
import type { Clock } from '../lib/controller/clock.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { type KubeConnection, KubeconfigError, loadConnection } from '../lib/kube/connection.ts'
import { ApiError, ConnectionError, isForbidden } from '../lib/kube/errors.ts'
import { isUntrusted, presentedCertificate } from '../lib/kube/presented-certificate.ts'
import { parseYaml } from '../lib/yaml/parse.ts'

/** Limit of one call to a cluster (spec 0.4). */
const CALL_MS = 15_000
const MAX_KUBECONFIG_BYTES = 2 ** 20
const MODES = ['strict', 'system-store'] as const

/** A cluster that answers. */
interface Downstream {
  readonly client: KubeClient
  /** The time limit of each call to it. */
  readonly timeoutMs: number
  /** Ends its connections. */
  close(): Promise<void>
}

/** Throws TerminalError for a TLS mode that does not exist. */
export function checkTlsMode(mode: string): void {
  if ((MODES as readonly string[]).includes(mode)) return
  throw new TerminalError(`agentTLSMode "${mode}" of the configuration is unknown: choose one of ${MODES.join(', ')}`, {
    reason: 'InvalidConfiguration',
  })
}

/**
 * Connects to the cluster of a kubeconfig and waits for a first answer. With `system-store`, a server that the kubeconfig's own CA does not vouch for
 * may be one that every system trusts. Throws TerminalError for a kubeconfig that cannot be used; messages hold nothing of its credentials.
 */
export async function openDownstream(kubeconfigText: string, tlsMode: string, clock: Clock): Promise<Downstream> {
  checkTlsMode(tlsMode)
  const given = await connect(kubeconfigText, clock)
  try {
    return await answering(given)
  } catch (error) {
    const publicText = tlsMode === 'system-store' && isUntrusted(error) ? withoutCa(kubeconfigText) : undefined
    const open = publicText && (await answering(await connect(publicText, clock)).catch(() => undefined)) // the first failure tells more
    if (!open) throw await explained(error, given)
    return open
  }
}

/** The error that says what to do about a cluster that does not let us in. */
async function explained(error: unknown, connection: KubeConnection): Promise<unknown> {
  const { server } = connection
  if (isUntrusted(error)) {
    const presented = await presentedCertificate(connection)
    const what = presented ? `a certificate with ${presented}` : 'a certificate'
    const cause = messageOf(error.cause)
    return new Error(
      `the cluster ${server} presents ${what}, which the kubeconfig does not trust (${cause}): put the CA that issued it under certificate-authority-data`,
      { cause: error },
    )
  }
  if (error instanceof ConnectionError)
    return new Error(`${error.message}; see that the server in the kubeconfig is right and can be reached from the management cluster`, {
      cause: error,
    })
  if (error instanceof ApiError && error.status === 401)
    return new Error(`the cluster ${server} refuses the credentials in the kubeconfig: put a kubeconfig with good ones into the secret`, {
      cause: error,
    })
  return error
}

/** What is thrown while the agent is installed, with what to do about rights that are missing. */
export function installError(error: unknown): unknown {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
  const forbidden = errors.find(isForbidden)
  if (!forbidden) return error
  return new Error(`the account of the kubeconfig may not install the agent, it needs cluster-admin: ${forbidden.message}`, {
    cause: error,
  })
}

async function connect(kubeconfigText: string, clock: Clock): Promise<KubeConnection> {
  if (!kubeconfigText)
    throw new TerminalError('the kubeconfig secret has no kubeconfig: put it under the key "value"', { reason: 'InvalidKubeconfig' })
  try {
    const connection = await loadConnection({ kubeconfigText, trusted: false, clock })
    const { ca, cert, key } = connection.tls()
    createSecureContext({ ca, cert, key })
    return connection
  } catch (error) {
    if (error instanceof KubeconfigError) throw new TerminalError(error.message, { reason: 'InvalidKubeconfig' })
    // whatever else a library says may quote a certificate or a key
    throw new TerminalError('the kubeconfig cannot be used: check its certificates and keys', { reason: 'InvalidKubeconfig' })
  }
}

async function answering(connection: KubeConnection): Promise<Downstream> {
  const client = createClient(connection, { timeoutMs: CALL_MS })
  try {
    await client.serverVersion({ timeoutMs: CALL_MS })
  } catch (error) {
    await client.close()
    throw error
  }
  return { client, timeoutMs: CALL_MS, close: () => client.close() }
}

/** The kubeconfig without its CAs; undefined if it has none. */
function withoutCa(text: string): string | undefined {
  const config = parseYaml(text, { maxBytes: MAX_KUBECONFIG_BYTES }) as { clusters?: { cluster?: Record<string, unknown> }[] }
  const key = 'certificate-authority-data'
  if (!config.clusters?.some(({ cluster }) => cluster?.[key])) return undefined
  const clusters = config.clusters.map((entry) => ({ ...entry, cluster: { ...entry.cluster, [key]: undefined } }))
  return JSON.stringify({ ...config, clusters })
}
