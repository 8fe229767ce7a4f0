// How the agent finds its hub: the Secret that registration leaves in its namespace, and the ConfigMap beside it (spec 0.2, 3.5).
import { AGENT_NAME } from '../api/labels.ts'
import { type Clock, sleep } from '../lib/controller/clock.ts'
import { messageOf } from '../lib/controller/errors.ts'
import type { Logger } from '../lib/controller/log.ts'
import { parseDurationMs } from '../lib/duration/duration.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseYaml } from '../lib/yaml/parse.ts'

/** What a registered agent knows of its hub. */
export interface Upstream {
  /** Text of a kubeconfig; the namespace of its context is the cluster namespace. */
  readonly kubeconfig: string
  readonly deploymentNamespace: string
  /** The Cluster object on the hub. */
  readonly cluster: { readonly namespace: string; readonly name: string }
}

/** What the hub has configured for its agents. */
export interface AgentSettings {
  readonly garbageCollectionIntervalMs: number
}

interface DataObject extends KubeObject {
  data?: Record<string, string>
}

const GARBAGE_COLLECTION_MS = 900_000
const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 60_000

/** Waits until the agent is registered. Says once what is missing. */
export async function awaitUpstream(
  client: KubeClient,
  namespace: string,
  { clock, log }: { clock: Clock; log: Logger },
  signal: AbortSignal,
): Promise<Upstream> {
  let reported = ''
  for (let pause = FIRST_RETRY_MS; ; pause = Math.min(pause * 2, LONGEST_RETRY_MS)) {
    const problem = await readUpstream(client, namespace).catch(messageOf)
    if (typeof problem !== 'string') return problem
    if (problem !== reported) log.info({ namespace, secret: AGENT_NAME, reason: problem }, 'waiting for registration')
    reported = problem
    await sleep(clock, pause, signal)
  }
}

/** The hub as the Secret has it, or a sentence that says what is missing. */
async function readUpstream(client: KubeClient, namespace: string): Promise<Upstream | string> {
  const secret = await client.find<DataObject>({ apiVersion: 'v1', kind: 'Secret', namespace, name: AGENT_NAME })
  if (!secret) return `secret ${namespace}/${AGENT_NAME} does not exist yet`
  const read = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  const missing = ['kubeconfig', 'clusterNamespace', 'clusterName'].filter((key) => !read(key))
  if (missing.length > 0) return `secret ${namespace}/${AGENT_NAME} lacks ${missing.join(', ')}`
  return {
    kubeconfig: read('kubeconfig'),
    deploymentNamespace: read('deploymentNamespace'),
    cluster: { namespace: read('clusterNamespace'), name: read('clusterName') },
  }
}

/** The settings of the ConfigMap; what is missing or cannot be read has its default. */
export async function readSettings(client: KubeClient, namespace: string, log: Logger): Promise<AgentSettings> {
  const map = await client.find<DataObject>({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: AGENT_NAME })
  try {
    const config = (parseYaml(map?.data?.config ?? '') ?? {}) as { garbageCollectionInterval?: unknown }
    return { garbageCollectionIntervalMs: intervalOf(config.garbageCollectionInterval) }
  } catch (error) {
    log.warn({ namespace, configMap: AGENT_NAME, err: error }, 'configuration cannot be read, defaults are used')
    return { garbageCollectionIntervalMs: GARBAGE_COLLECTION_MS }
  }
}

/** A duration as text, or a number of nanoseconds, which is how Go writes it. */
function intervalOf(value: unknown): number {
  const ms = typeof value === 'string' && value !== '' ? parseDurationMs(value) : typeof value === 'number' ? value / 1_000_000 : 0
  return ms > 0 ? ms : GARBAGE_COLLECTION_MS
}
