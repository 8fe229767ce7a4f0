// A scene in which everything comes from the charts: control planes with nodes, and helm to install with.
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { type DevCluster, type DevClusters, startClusters } from '../devcluster/clusters.ts'
import { freePorts } from '../devcluster/ports.ts'
import { type HostProgram, type ProcessNode, startProcessNode } from '../devcluster/process-node.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { program, ROOT } from './fleet.ts'

export const SYSTEM_NAMESPACE = 'cattle-fleet-system'
const HELM_LIMIT_MS = 180_000

/** The servers of each program of the charts: environment variable, and the port in its container. */
const SERVERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'fleet-controller': { FLEET_METRICS_BIND_ADDRESS: 8080, FLEET_HEALTHPROBE_BIND_ADDRESS: 8081 },
  gitjob: { GITOPS_METRICS_BIND_ADDRESS: 8081, FLEET_HEALTHPROBE_BIND_ADDRESS: 8082 },
  helmops: { HELMOPS_METRICS_BIND_ADDRESS: 8081, FLEET_HEALTHPROBE_BIND_ADDRESS: 8082 },
}
const AGENT_ENV = { FLEET_AGENT_PROBE_BIND_ADDRESS: '0', FLEET_AGENT_METRICS_BIND_ADDRESS: '0' }

export interface InstalledCluster extends DevCluster {
  readonly client: KubeClient
}

export interface InstalledScene {
  readonly clusters: Readonly<Record<string, InstalledCluster>>
  readonly dir: string
  /** where the gitjob of the hub hears of pushes */
  readonly webhooks: string
  /** Runs helm against a cluster; throws what it says on failure. */
  helm(cluster: string, args: readonly string[]): Promise<string>
  stop(): Promise<void>
}

/** Starts the clusters of these names; the first is the hub. Nothing is installed in them. */
export async function startInstalledScene(names: readonly string[]): Promise<InstalledScene> {
  const { bin } = inject('clusters').hub
  const started: DevClusters = await startClusters({ names, bin })
  const nodes: ProcessNode[] = []
  const clusters: Record<string, InstalledCluster> = {}
  const [webhookPort = 0] = await freePorts(1)
  async function stop(): Promise<void> {
    await Promise.all(nodes.map((node) => node.stop()))
    await Promise.all(Object.values(clusters).map(({ client }) => client.close()))
    await started.stop()
  }
  try {
    for (const cluster of Object.values(started.clusters)) {
      const client = createClient(await loadConnection({ kubeconfig: cluster.kubeconfig }))
      clusters[cluster.name] = { ...cluster, client }
      nodes.push(await startNode(cluster.name, client, started.dir, bin, webhookPort))
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    clusters,
    dir: started.dir,
    webhooks: `http://127.0.0.1:${webhookPort}`,
    async helm(cluster, args) {
      const env = { HOME: started.dir, PATH: process.env.PATH ?? '', KUBECONFIG: clusters[cluster]?.kubeconfig ?? '' }
      const { stdout } = await promisify(execFile)(join(bin, 'helm'), args, { env, cwd: ROOT, timeout: HELM_LIMIT_MS })
      return stdout
    },
    stop,
  }
}

/** Each program gets ports of its own on this host; the image decides which program it is, whatever its tag. */
async function startNode(name: string, client: KubeClient, dir: string, bin: string, webhookPort: number): Promise<ProcessNode> {
  const path = { PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH ?? ''}` }
  const hosted: Record<string, HostProgram & { env: Record<string, string> }> = {}
  for (const [container, servers] of Object.entries(SERVERS)) {
    const free = await freePorts(Object.keys(servers).length)
    const entries = Object.entries(servers).map(([variable, port], index) => ({ variable, port, host: free[index] ?? 0 }))
    hosted[container] = {
      command: [],
      env: { ...path, ...Object.fromEntries(entries.map(({ variable, host }) => [variable, `127.0.0.1:${host}`])) },
      ports: Object.fromEntries(entries.map(({ port, host }) => [port, host])),
    }
  }
  return startProcessNode({
    client,
    name: `${name}-node`,
    dir: join(dir, `${name}-node`),
    log: silentLogger,
    restartDelays: { baseMs: 200, maxMs: 2_000 },
    images: (image, [, ...args], { container }) => {
      const repository = image.replace(/:[^:/]*$/, '')
      if (repository === 'fleet/fleet-agent')
        return { command: [process.execPath, program('fleet-agent'), ...args], env: { ...path, ...AGENT_ENV } }
      const found = repository === 'fleet/fleet' ? hosted[container] : undefined
      if (!found) return undefined
      const local = args.map((arg) => (arg.startsWith('--listen=') ? `--listen=127.0.0.1:${webhookPort}` : arg))
      return { ...found, command: [process.execPath, program('fleet-controller'), ...local] }
    },
  })
}
