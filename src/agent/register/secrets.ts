// The two Secrets in the agent's namespace that registration is about: what it starts with, and what it leaves behind (spec 3.1).
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../../api/labels.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError } from '../../lib/kube/errors.ts'
import { refOf } from '../../lib/kube/paths.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Upstream } from '../upstream.ts'

/** Values of `data` are base64. */
export interface Secret extends KubeObject {
  data?: Record<string, string> | null
}

/** What is there. */
export interface LocalSecrets {
  /** One-shot credential of the hub. */
  readonly bootstrap: Secret | undefined
  /** What an earlier registration has left. */
  readonly credential: Secret | undefined
}

type Place = { readonly client: KubeClient; readonly namespace: string }

const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const
const CALL_MS = 30_000
/** Everything that the agent needs to find its place on the hub; `deploymentNamespace` is in the kubeconfig too. */
const NEEDED = ['kubeconfig', 'clusterNamespace', 'clusterName'] as const

/** Both as they are now. */
export async function readSecrets({ client, namespace }: Place, signal: AbortSignal): Promise<LocalSecrets> {
  const find = (name: string): Promise<Secret | undefined> =>
    client.find<Secret>({ ...SECRET, namespace, name }, { signal, timeoutMs: CALL_MS })
  // in this order: whoever imports the cluster anew deletes the credential before it makes the next bootstrap secret, which must not be taken for the old one
  const bootstrap = await find(AGENT_BOOTSTRAP_NAME)
  return { bootstrap, credential: await find(AGENT_NAME) }
}

/** The bootstrap secret as it is now. */
export async function readBootstrapSecret({ client, namespace }: Place, signal: AbortSignal): Promise<Secret | undefined> {
  return client.find<Secret>({ ...SECRET, namespace, name: AGENT_BOOTSTRAP_NAME }, { signal, timeoutMs: CALL_MS })
}

/** Whether this is the same object with the same content. */
export function isSame(one: Secret | undefined, other: Secret | undefined): boolean {
  return one?.metadata.uid === other?.metadata.uid && one?.metadata.resourceVersion === other?.metadata.resourceVersion
}

/** The text of a key; empty when it is not there. */
export function secretText(secret: Secret | undefined, key: string): string {
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8')
}

/** What the credential secret says of the hub. Throws when something is missing. */
export function upstreamOf(secret: Secret): Upstream {
  const missing = NEEDED.filter((key) => !secretText(secret, key))
  if (missing.length > 0) throw new Error(`secret ${secret.metadata.namespace}/${secret.metadata.name} lacks ${missing.join(', ')}`)
  return {
    kubeconfig: secretText(secret, 'kubeconfig'),
    deploymentNamespace: secretText(secret, 'deploymentNamespace'),
    cluster: { namespace: secretText(secret, 'clusterNamespace'), name: secretText(secret, 'clusterName') },
  }
}

/**
 * Writes the credential secret in the place of the one that was read before. Throws a conflict when somebody else has written or removed it since.
 * A crash leaves either the old one or, at worst, none; the bootstrap secret is still there then.
 */
export async function storeCredential(
  { client, namespace }: Place,
  upstream: Upstream,
  before: Secret | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { kubeconfig, deploymentNamespace, cluster } = upstream
  const texts = { kubeconfig, deploymentNamespace, clusterNamespace: cluster.namespace, clusterName: cluster.name }
  const data = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  const limits = { signal, timeoutMs: CALL_MS }
  const fresh: Secret = { ...SECRET, metadata: { namespace, name: AGENT_NAME }, data }
  if (!before) return void (await client.create(fresh, limits))
  try {
    await client.update<Secret>({ ...before, data }, limits)
  } catch (error) {
    // an immutable one can only be replaced
    if (!(error instanceof ApiError) || error.status !== 422) throw error
    await client.delete(refOf(before), { ...preconditions(before), ...limits })
    await client.create(fresh, limits)
  }
}

/** Deletes the bootstrap secret if it is still the one that was read. */
export async function deleteBootstrap({ client }: Pick<Place, 'client'>, secret: Secret, signal: AbortSignal): Promise<void> {
  await client.delete(refOf(secret), { ...preconditions(secret), signal, timeoutMs: CALL_MS })
}

function preconditions({ metadata: { uid, resourceVersion } }: Secret): { uid?: string; resourceVersion?: string } {
  return { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) }
}
