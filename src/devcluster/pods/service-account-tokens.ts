// Tokens of service accounts in files, requested for the pod and renewed before they run out.
import type { Clock } from '../../lib/controller/clock.ts'
import { sleep } from '../../lib/controller/clock.ts'
import type { Logger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Pod } from './types.ts'
import { writeIfChanged } from './volume-files.ts'
import type { TokenFile } from './volumes.ts'

interface TokenRequest extends KubeObject {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string }
}

/** Renewed after this part of the life of a token. */
const RENEW_AT = 0.8
const RETRY_MS = 10_000
const SHORTEST_MS = 5000

/** Writes the token into its file. @returns milliseconds until it should be renewed. @throws what the API server says, with the account's name */
export async function writeToken(client: KubeClient, clock: Clock, pod: Pod, folder: string, file: TokenFile): Promise<number> {
  const { token, expiresAt } = await requestToken(client, pod, file)
  await writeIfChanged(folder, { path: file.path, content: Buffer.from(token), mode: 0o600 })
  return Math.max(SHORTEST_MS, (expiresAt - clock.now()) * RENEW_AT)
}

/** Renews the token until the signal is aborted; failures are logged and tried again. */
export async function keepToken(
  client: KubeClient,
  clock: Clock,
  pod: Pod,
  folder: string,
  file: TokenFile,
  firstMs: number,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let waitMs = firstMs
  while (!signal.aborted) {
    // Ends early only because of the signal, which the loop looks at.
    await sleep(clock, waitMs, signal).catch(() => undefined)
    if (signal.aborted) return
    try {
      waitMs = await writeToken(client, clock, pod, folder, file)
    } catch (error) {
      log.warn({ error }, 'service account token not renewed')
      waitMs = RETRY_MS
    }
  }
}

async function requestToken(client: KubeClient, pod: Pod, file: TokenFile): Promise<{ token: string; expiresAt: number }> {
  const { name, namespace = 'default', uid } = pod.metadata
  const account = pod.spec.serviceAccountName ?? 'default'
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      expirationSeconds: file.expirationSeconds,
      ...(file.audience === undefined ? {} : { audiences: [file.audience] }),
      // Bound to the pod: the token dies with it.
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  }
  const { status } = await client.request<TokenRequest>('POST', path, { body })
  if (!status?.token) throw new Error(`the API server issued no token for service account ${namespace}/${account}`)
  return { token: status.token, expiresAt: Date.parse(status.expirationTimestamp ?? '') || 0 }
}
