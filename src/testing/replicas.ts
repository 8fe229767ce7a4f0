// The scene of stories about several controllers on one hub: a hub without nodes, and replicas of fleet-controller, each behind a proxy of its own.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, inject } from 'vitest'
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER } from '../api/kinds.ts'
import { type DevCluster, type DevClusters, startClusters } from '../devcluster/clusters.ts'
import { hubObjects, SYSTEM_NAMESPACE, WORKSPACE } from '../devcluster/fleet-objects.ts'
import { createHostProcesses, type HostProcess, type HostProcesses } from '../devcluster/host-process.ts'
import { renderKubeconfig } from '../devcluster/kubeconfig.ts'
import { applyAll, installCrds } from '../devcluster/world.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Lease } from '../lib/kube/lease.ts'
import { eventually } from './eventually.ts'
import { type FaultProxy, type SeenRequest, startFaultProxy } from './fault-proxy.ts'
import { program, ROOT } from './fleet.ts'
import { isWrite } from './kill-points.ts'
import { clientOf } from './kube.ts'

/** Times of the leases, in milliseconds: short for the stories, and yet longer than a busy machine stands still. */
export const LEASE = { durationMs: 8_000, renewDeadlineMs: 6_000, retryPeriodMs: 1_500 } as const

/** A write that a replica has sent and that was passed on. */
export interface SentWrite {
  readonly at: number
  readonly method: string
  /** Without query. */
  readonly path: string
}

export interface Replica {
  readonly name: string
  readonly process: HostProcess
  /** Everything that came through to the hub; leases and events are not of it. */
  readonly writes: readonly SentWrite[]
  /** When its last request for a lease was passed on. */
  readonly lastRenewal: number
  /** Requests that match are never passed on and never answered, from now on. */
  hold(match: (request: SeenRequest) => boolean): void
  /** Breaks its connections. */
  cut(): void
  log(): string
}

export class Replicas {
  readonly clusters: readonly string[]
  #clusters: DevClusters | undefined
  #processes: HostProcesses | undefined
  #token = ''
  readonly #proxies: FaultProxy[] = []
  hub!: KubeClient

  /** Clusters of these names are there, without agents. */
  constructor(clusters: readonly string[]) {
    this.clusters = clusters
  }

  async open(): Promise<void> {
    this.#clusters = await startClusters({ names: ['hub'], bin: inject('clusters').hub.bin })
    this.#processes = createHostProcesses()
    this.hub = await clientOf(this.server.kubeconfig)
    await installCrds(this.hub, join(ROOT, 'crds'))
    const images = { hub: 'unused', agent: 'unused' }
    const objects = hubObjects({ images, hub: this.server, version: '', config: { manageAgent: false } })
    await applyAll(
      this.hub,
      objects.filter(({ kind }) => kind !== 'Deployment'),
    )
    const path = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/serviceaccounts/fleet-controller/token`
    const answer = await this.hub.request<{ status: { token: string } }>('POST', path, { body: { spec: { expirationSeconds: 7_200 } } })
    this.#token = answer.status.token
    const clusters = this.clusters.map((name) => ({ ...CLUSTER, metadata: { name, namespace: WORKSPACE }, spec: { clientID: name } }))
    await applyAll(this.hub, clusters)
  }

  async close(): Promise<void> {
    await this.#processes?.close()
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
    await this.hub?.close()
    await this.#clusters?.stop()
  }

  get server(): DevCluster {
    const server = this.#clusters?.clusters.hub
    if (!server) throw new Error('the scene is not open')
    return server
  }

  /** Starts fleet-controller with the rights of its service account; the name is its identity. */
  async start(name: string, args: readonly string[] = []): Promise<Replica> {
    if (!this.#clusters || !this.#processes) throw new Error('the scene is not open')
    const { dir } = this.#clusters
    const writes: SentWrite[] = []
    let lastRenewal = 0
    let isHeld = (_request: SeenRequest): boolean => false
    const proxy = await startFaultProxy({
      target: this.server,
      gate(request) {
        if (isHeld(request)) return false
        const path = request.path.split('?')[0] ?? ''
        if (isLease(request) && request.method === 'PUT') lastRenewal = Date.now()
        if (isWrite(request)) writes.push({ at: Date.now(), method: request.method, path })
        return () => {}
      },
    })
    this.#proxies.push(proxy)
    const kubeconfig = join(dir, `${name}.kubeconfig`)
    const { url: server, ca } = proxy
    writeFileSync(kubeconfig, renderKubeconfig({ name: 'hub', server, ca, user: { token: this.#token } }), { mode: 0o600 })
    const child = this.#processes.start({
      name,
      command: [process.execPath, program('fleet-controller'), '--listen=127.0.0.1:0', ...args],
      logFile: join(dir, `${name}.log`),
      cwd: dir,
      env: {
        PATH: `${inject('clusters').hub.bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: dir,
        KUBECONFIG: kubeconfig,
        NAMESPACE: SYSTEM_NAMESPACE,
        POD_NAME: name,
        FLEET_HEALTHPROBE_BIND_ADDRESS: '0',
        FLEET_METRICS_BIND_ADDRESS: '0',
        CATTLE_ELECTION_LEASE_DURATION: `${LEASE.durationMs}ms`,
        CATTLE_ELECTION_RENEW_DEADLINE: `${LEASE.renewDeadlineMs}ms`,
        CATTLE_ELECTION_RETRY_PERIOD: `${LEASE.retryPeriodMs}ms`,
      },
    })
    return {
      name,
      process: child,
      writes,
      get lastRenewal() {
        return lastRenewal
      },
      hold: (match) => {
        isHeld = match
      },
      cut: () => proxy.cut(),
      log: () => readFileSync(child.logFile, 'utf8'),
    }
  }

  /** Resolves when the replica holds the lease of its shard. */
  leads({ name }: Replica, shard = ''): Promise<void> {
    return eventually(async () => expect(await this.holder(shard)).toBe(name), { what: `${name} leads`, everyMs: 50 })
  }

  async holder(shard = ''): Promise<string> {
    const name = `fleet-controller-leader-election-shard${shard ? `-${shard}` : ''}`
    const lease = await this.hub.find<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name, namespace: SYSTEM_NAMESPACE })
    return lease?.spec?.holderIdentity ?? ''
  }

  /** The namespaces of the clusters; waits until they have one. */
  clusterNamespaces(): Promise<string[]> {
    return eventually(
      async () => {
        const { items } = await this.hub.list<Cluster>(CLUSTER, { namespace: WORKSPACE })
        const namespaces = items.flatMap(({ status }) => status?.namespace ?? [])
        expect(namespaces).toHaveLength(this.clusters.length)
        return namespaces
      },
      { what: 'clusters have namespaces' },
    )
  }
}

/** Whether a request is about a lease. */
export function isLease({ path }: SeenRequest): boolean {
  return path.includes('/leases')
}

/** A scene for all tests of a file. */
export function useReplicas(clusters: readonly string[]): Replicas {
  const scene = new Replicas(clusters)
  beforeAll(() => scene.open())
  afterAll(() => scene.close())
  return scene
}
