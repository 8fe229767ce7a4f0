// What is installed in an imported cluster beside the agent itself: namespace, bootstrap secret, configuration, pull secrets (spec 3.1, 3.2).
import type { Cluster } from '../api/cluster.ts'
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../api/labels.ts'
import { registrationNamespace } from '../api/names.ts'
import type { HubConfig } from '../config/hub-config.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import type { HubAddress } from './import-plan.ts'
import { CONFIG_MAP, NAMESPACE, SECRET, type Secret, secretObject, secretText } from './kinds.ts'

/** What an agent is told at its start. */
export interface AgentStart {
  readonly cluster: Cluster
  readonly namespace: string
  readonly config: HubConfig
  readonly address: HubAddress
  /** The values secret of the import token. */
  readonly values: Secret
  /** Secrets of the configuration to pull images with. */
  readonly pullSecrets: readonly Secret[]
  readonly systemNamespace: string
}

/** Label keys with these in them are somebody's own notes. */
const BOOKKEEPING = ['cattle.io/', 'kubectl.kubernetes.io/']
const MAX_VALUES_BYTES = 2 ** 20

/** The objects, all in the namespace of the agent. Throws for a values secret that is not one. */
export function startObjects(start: AgentStart): KubeObject[] {
  const { cluster, namespace, config } = start
  return [
    { ...NAMESPACE, metadata: { name: namespace } },
    secretObject({ name: AGENT_BOOTSTRAP_NAME, namespace }, bootstrapData(start)),
    ...start.pullSecrets.map((secret) => pullSecretCopy(secret, namespace)),
    configMap(namespace, { cluster, config }),
  ]
}

function bootstrapData({ address, values, systemNamespace }: AgentStart): Record<string, string | Uint8Array> {
  const { name, namespace } = values.metadata
  const parsed = parseYaml(secretText(values, 'values'), { maxBytes: MAX_VALUES_BYTES })
  const texts = Object.entries(parsed ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const data = Object.fromEntries(texts)
  if (!data.token) throw new Error(`secret ${namespace}/${name} holds no token: delete it, it is made again`)
  const expected = registrationNamespace(systemNamespace)
  if (data.systemRegistrationNamespace !== expected)
    throw new Error(
      `secret ${namespace}/${name} is of another Fleet: its registration namespace is ${data.systemRegistrationNamespace}, not ${expected}`,
    )
  return {
    ...data,
    ...(address.apiServerURL ? { apiServerURL: address.apiServerURL } : {}),
    ...(address.apiServerCA.length > 0 ? { apiServerCA: address.apiServerCA } : {}),
  }
}

function pullSecretCopy(secret: Secret, namespace: string): Secret {
  const { name } = secret.metadata
  return { ...SECRET, metadata: { name, namespace }, ...(secret.type ? { type: secret.type } : {}), data: secret.data ?? {} }
}

function configMap(namespace: string, { cluster, config }: Pick<AgentStart, 'cluster' | 'config'>): KubeObject {
  const labels = agentLabels(cluster.metadata.labels)
  const settings = {
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    clientID: cluster.spec.clientID,
    agentTLSMode: config.agentTLSMode,
    ...(config.garbageCollectionInterval === '0s' ? {} : { garbageCollectionInterval: config.garbageCollectionInterval }),
  }
  const object = { ...CONFIG_MAP, metadata: { name: AGENT_NAME, namespace }, data: { config: JSON.stringify(settings) } }
  return object
}

/** Labels that the agent repeats when it registers, without those of others' bookkeeping (spec 12). */
function agentLabels(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(labels).filter(([key]) => !BOOKKEEPING.some((prefix) => key.includes(prefix)))
  return Object.fromEntries(kept)
}
