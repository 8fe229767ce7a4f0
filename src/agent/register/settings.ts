// What the ConfigMap `fleet-agent` says about registration (spec 3.1 row 5).

import { AGENT_NAME } from '../../api/labels.ts'
import { messageOf } from '../../lib/controller/errors.ts'
import { isMap } from '../../lib/json/is-map.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseYaml } from '../../lib/yaml/parse.ts'

/** How the hub's certificate is checked: only by the given CA, or first by the certificates of the system; unset: by what is given. */
export type TlsMode = 'strict' | 'system-store' | ''

export interface RegistrationSettings {
  /** Identity of the cluster; empty: the uid of kube-system. */
  readonly clientID: string
  /** Labels that the cluster asks for. */
  readonly labels: Readonly<Record<string, string>>
  readonly tlsMode: TlsMode
}

interface ConfigMap extends KubeObject {
  data?: Record<string, string> | null
}

/** The settings. Without the ConfigMap it throws: an agent that does not know its client id would become another cluster. */
export async function readRegistrationSettings(client: KubeClient, namespace: string, signal: AbortSignal): Promise<RegistrationSettings> {
  const map = await client.find<ConfigMap>(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: AGENT_NAME },
    { signal, timeoutMs: 30_000 },
  )
  const what = `configmap ${namespace}/${AGENT_NAME}`
  if (!map) throw new Error(`${what} does not exist: it comes with the import of a cluster and with chart fleet-agent`)
  try {
    return parseSettings(map.data?.config ?? '')
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`)
  }
}

/** Reads the key `config`, YAML or JSON. Throws with the name of the field that cannot be used. */
export function parseSettings(text: string): RegistrationSettings {
  const config = parseYaml(text) ?? {}
  if (!isMap(config)) throw new Error('config must be a map')
  const { clientID, labels, agentTLSMode } = config
  return { clientID: textOf(clientID, 'clientID'), labels: labelsOf(labels), tlsMode: tlsModeOf(textOf(agentTLSMode, 'agentTLSMode')) }
}

function tlsModeOf(text: string): TlsMode {
  if (text === 'strict' || text === 'system-store' || text === '') return text
  throw new Error(`agentTLSMode is ${JSON.stringify(text)}: write strict or system-store`)
}

function labelsOf(value: unknown): Record<string, string> {
  if (value == null) return {}
  if (!isMap(value)) throw new Error('labels must be a map')
  return Object.fromEntries(Object.entries(value).map(([key, label]) => [key, textOf(label, `labels.${key}`)]))
}

/** Numbers and booleans count as the text that they were written as: `--set labels.tier=1` gives a number. */
function textOf(value: unknown, field: string): string {
  if (value == null) return ''
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') throw new Error(`${field} must be text`)
  return value
}
