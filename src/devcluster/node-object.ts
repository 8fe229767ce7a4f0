// The Node object and the lease by which the cluster knows the process node.
import { arch, availableParallelism, platform, release, totalmem } from 'node:os'
import type { Clock } from '../lib/controller/clock.ts'
import { sleep } from '../lib/controller/clock.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { NodeFacts } from './pods/fields.ts'
import { timestamp } from './pods/supervisor.ts'

/** All pods share the address of this host. */
export const NODE_IP = '127.0.0.1'

const FIELD_MANAGER = 'process-node'
const LEASE_SECONDS = 40
const CALL_LIMIT_MS = 10_000
const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64' }

/** What pods can learn of the node. */
export function nodeFacts(name: string): NodeFacts {
  return {
    name,
    ip: NODE_IP,
    capacity: { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '1000' },
  }
}

/** Labels of the node. It says linux on every system: charts ask for it, and the programs run anyway. */
export function nodeLabels(name: string): Record<string, string> {
  const goArch = GO_ARCH[arch()] ?? arch()
  return { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': goArch }
}

/** Creates the Node, or takes over the one of a former run, and marks it as ready. */
export async function createNodeObject(client: KubeClient, name: string, clock: Clock): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: nodeLabels(name) } }
  await client.apply(node, { fieldManager: FIELD_MANAGER, force: true, timeoutMs: CALL_LIMIT_MS })
  await setNodeReady(client, name, true, clock)
}

/** Writes the status of the Node, within the limit for each of two requests. */
export async function setNodeReady(
  client: KubeClient,
  name: string,
  ready: boolean,
  clock: Clock,
  timeoutMs = CALL_LIMIT_MS,
): Promise<void> {
  const { capacity } = nodeFacts(name)
  const now = timestamp(clock)
  const { gitVersion } = await client.serverVersion({ timeoutMs })
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: ready ? 'ProcessNodeReady' : 'ProcessNodeStopped',
    message: ready ? 'programs of this host stand for containers' : 'the process node was stopped',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  }
  const status = {
    capacity,
    allocatable: capacity,
    conditions: [condition],
    addresses: [
      { type: 'InternalIP', address: NODE_IP },
      { type: 'Hostname', address: name },
    ],
    nodeInfo: {
      operatingSystem: 'linux',
      architecture: nodeLabels(name)['kubernetes.io/arch'],
      kernelVersion: release(),
      osImage: `processes on ${platform()}`,
      containerRuntimeVersion: 'process://1',
      kubeletVersion: gitVersion,
      kubeProxyVersion: '',
      machineID: '',
      systemUUID: '',
      bootID: '',
    },
  }
  const ref = { apiVersion: 'v1', kind: 'Node', name }
  await client.patch(ref, { status }, { type: 'merge', subresource: 'status', timeoutMs })
}

/** Renews the lease of the node until the signal is aborted; failures are logged and tried again with the next turn. Never rejects. */
export async function renewLease(
  client: KubeClient,
  name: string,
  clock: Clock,
  everyMs: number,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const type = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
  while (!signal.aborted) {
    const renewTime = new Date(clock.now()).toISOString().replace('Z', '000Z')
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
    const lease: KubeObject & { spec: object } = { ...type, metadata: { name, namespace: 'kube-node-lease' }, spec }
    await client
      .apply(lease, { fieldManager: FIELD_MANAGER, force: true, signal, timeoutMs: everyMs })
      .catch((error: unknown) => signal.aborted || log.warn({ error }, 'node lease not renewed'))
    // Ends early only because of the signal, which the loop looks at.
    await sleep(clock, everyMs, signal).catch(() => undefined)
  }
}
