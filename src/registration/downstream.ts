// The way to a cluster that is imported: by the kubeconfig of a secret, which others wrote and which is trusted with nothing (security: kubeconfigs).

import type { Clock } from '../lib/controller/clock.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { type KubeConnection, KubeconfigError, loadConnection } from '../lib/kube/connection.ts'
import { ConnectionError } from '../lib/kube/errors.ts'
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
    if (!publicText) throw error
    return answering(await connect(publicText, clock)).catch(() => {
      throw error // the first failure tells more: the CA is what was asked for
    })
  }
}

async function connect(kubeconfigText: string, clock: Clock): Promise<KubeConnection> {
  if (!kubeconfigText)
    throw new TerminalError('the kubeconfig secret has no kubeconfig: put it under the key "value"', { reason: 'InvalidKubeconfig' })
  try {
    return await loadConnection({ kubeconfigText, trusted: false, clock })
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

function isUntrusted(error: unknown): boolean {
  return error instanceof ConnectionError && /CERT|SELF_SIGNED|ISSUER|SIGNATURE/.test(error.code)
}

/** The kubeconfig without its CAs; undefined if it has none. */
function withoutCa(text: string): string | undefined {
  const config = parseYaml(text, { maxBytes: MAX_KUBECONFIG_BYTES }) as { clusters?: { cluster?: Record<string, unknown> }[] }
  const key = 'certificate-authority-data'
  if (!config.clusters?.some(({ cluster }) => cluster?.[key])) return undefined
  const clusters = config.clusters.map((entry) => ({ ...entry, cluster: { ...entry.cluster, [key]: undefined } }))
  return JSON.stringify({ ...config, clusters })
}
