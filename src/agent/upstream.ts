// How the agent finds its hub: the Secret that registration leaves in its namespace, and the ConfigMap beside it (spec 0.2, 3.5).
import { AGENT_NAME } from '../api/labels.ts'
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
