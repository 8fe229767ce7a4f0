// Values that a pod can read about itself (the downward API). Pure.
import { PodConfigError } from './sources.ts'
import type { Container, Pod, ResourceFieldRef } from './types.ts'

/** What the node contributes to a pod's view of itself. */
export interface NodeFacts {
  readonly name: string
  readonly ip: string
  /** Quantities such as `{ cpu: '2', memory: '8Gi' }`; they stand in for limits that a container does not set. */
  readonly capacity: Readonly<Record<string, string>>
}

const KEYED_FIELD = /^metadata\.(labels|annotations)\['([^']+)'\]$/

/** The text of a field of the pod. @throws PodConfigError for fields that the downward API does not offer */
export function podField(pod: Pod, node: NodeFacts, path: string): string {
  const keyed = path.match(KEYED_FIELD)
  if (keyed !== null) return pod.metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? ''
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'metadata.labels': formatMap(pod.metadata.labels),
    'metadata.annotations': formatMap(pod.metadata.annotations),
    'spec.nodeName': node.name,
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? 'default',
    'status.hostIP': node.ip,
    'status.hostIPs': node.ip,
    'status.podIP': node.ip,
    'status.podIPs': node.ip,
  }
  if (!Object.hasOwn(fields, path)) throw new PodConfigError(`fieldPath "${path}" is not supported`)
  return fields[path] ?? ''
}

// The form of a downward API file: one key="value" a line, sorted.
function formatMap(map: Readonly<Record<string, string>> = {}): string {
  const keys = Object.keys(map).sort()
  return keys.map((key) => `${key}=${JSON.stringify(map[key])}`).join('\n')
}

/** The text of a resource of a container, in units of its divisor, rounded up. @throws PodConfigError when the reference or a quantity is wrong */
export function resourceField(pod: Pod, node: NodeFacts, own: Container, ref: ResourceFieldRef): string {
  const container = ref.containerName === undefined ? own : pod.spec.containers.find(({ name }) => name === ref.containerName)
  const [kind, name] = ref.resource.split('.')
  if (container === undefined || name === undefined || (kind !== 'limits' && kind !== 'requests')) {
    throw new PodConfigError(`resourceFieldRef "${ref.resource}" cannot be resolved`)
  }
  const fallback = kind === 'limits' ? (node.capacity[name] ?? '0') : '0'
  const quantity = container.resources?.[kind]?.[name] ?? fallback
  const divisor = ref.divisor === undefined || ref.divisor === '0' ? '1' : ref.divisor
  return String(Math.ceil(parseQuantity(quantity) / parseQuantity(divisor)))
}

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

function parseQuantity(text: string): number {
  const match = text.match(/^([0-9.]+(?:e[0-9]+)?)([a-zA-Z]*)$/)
  const factor = SUFFIXES[match?.[2] ?? '']
  if (match === null || factor === undefined) throw new PodConfigError(`quantity "${text}" is not supported`)
  return Number(match[1]) * factor
}
