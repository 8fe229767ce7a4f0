// A scene for drift: one cluster of its own, which is hub and member at once, with an agent of ours in this process whose requests are counted.
import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import type { ClientRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect, inject } from 'vitest'
import { startAgent } from '../../agent/agent.ts'
import type { BundleDeployment, BundleDeploymentSpec } from '../../api/bundle-deployment.ts'
import { encodeContent } from '../../api/content-id.ts'
import { BUNDLE_DEPLOYMENT, CLUSTER, CONTENT } from '../../api/kinds.ts'
import { type DevCluster, type DevClusters, startClusters } from '../../devcluster/clusters.ts'
import { installCrds } from '../../devcluster/world.ts'
import { systemClock } from '../../lib/controller/clock.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { loadConnection } from '../../lib/kube/connection.ts'
import { createInformerFactory } from '../../lib/kube/informer.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { eventually } from '../eventually.ts'
import { ROOT } from '../fleet.ts'

const AGENT_NAMESPACE = 'agent'
const HUB_NAMESPACE = 'cluster-corpus'
const WORKSPACE = 'fleet-default'
const CLUSTER_NAME = 'corpus'
const CHARTS = join(ROOT, 'testdata', 'drift')
/** Stands for API groups that each deployment has for itself. */
const GROUP = 'drift.example.org'
/** Longer than what the agent waits after an event. */
const QUIET_MS = 1_500

/** A chart as such, or what it renders to as plain manifests. */
export type Form = 'chart' | 'plain'

/** One deployment of a chart. */
export interface Place {
  /** name of the bundle deployment, the release and its namespace */
  readonly name: string
  readonly namespace: string
  /** the API group of its own kinds */
  readonly group: string
  /** PEM as base64, for whoever puts certificates in */
  readonly certificate: string
  readonly client: KubeClient
}

interface Finding {
  readonly name: string
  readonly modified: unknown
}

const textOf = (value: unknown) => Buffer.from(String(value)).toString('base64')

export class DriftScene {
  #clusters: DevClusters | undefined
  #agent: { stop(): Promise<void> } | undefined
  #tempDir = ''
  #clients: KubeClient[] = []
  #watch = new AbortController()
  #lastRequest = 0
  /** what the agent has asked for, watches and heartbeats left out */
  readonly requests: string[] = []
  /** each time that a deployment was said to be modified, or could not be looked at */
  readonly findings: Finding[] = []

  async open(): Promise<void> {
    this.#tempDir = await mkdtemp(join(tmpdir(), 'drift-corpus-'))
    this.#clusters = await startClusters({ names: ['corpus'], bin: inject('clusters').hub.bin })
    subscribe('http.client.request.start', this.#count)
    const client = createClient(await loadConnection({ kubeconfig: this.cluster.kubeconfig }))
    // requests of the test tell themselves apart from those of the agent by acting as somebody
    this.#clients = [client.impersonate('tester', ['system:masters']), client]
    await installCrds(this.client, join(ROOT, 'crds'))
    for (const name of [AGENT_NAMESPACE, HUB_NAMESPACE, WORKSPACE]) await this.client.create(namespaceObject(name))
    await this.client.create({ ...CLUSTER, metadata: { name: CLUSTER_NAME, namespace: WORKSPACE }, spec: {} } as KubeObject)
    await this.client.create(this.#registration())
    const informers = createInformerFactory(this.client, { clock: systemClock, log: silentLogger })
    informers
      .informer<BundleDeployment>({ type: BUNDLE_DEPLOYMENT, namespace: HUB_NAMESPACE })
      .subscribe(({ object }) => this.#note(object))
    informers.start(this.#watch.signal)
    this.startAgent()
  }

  async close(): Promise<void> {
    unsubscribe('http.client.request.start', this.#count)
    await this.stopAgent()
    this.#watch.abort()
    await Promise.all(this.#clients.map((client) => client.close()))
    await this.#clusters?.stop()
    await rm(this.#tempDir, { recursive: true, force: true })
  }

  get cluster(): DevCluster {
    const cluster = this.#clusters?.clusters.corpus
    if (!cluster) throw new Error('the scene is not open')
    return cluster
  }

  get client(): KubeClient {
    const [client] = this.#clients
    if (!client) throw new Error('the scene is not open')
    return client
  }

  startAgent(): void {
    const end = new AbortController()
    const config = {
      namespace: AGENT_NAMESPACE,
      scope: '',
      podName: 'fleet-agent-corpus',
      proxy: undefined,
      checkinIntervalMs: 0,
      workers: 5,
      helmBinary: 'helm',
      kubectlBinary: 'kubectl',
      releaseEngine: 'auto' as const,
      searchPath: inject('clusters').hub.bin,
      processes: 2,
      tempDir: this.#tempDir,
      childEnv: {},
    }
    const running = loadConnection({ kubeconfig: this.cluster.kubeconfig }).then((connection) =>
      startAgent(config, { connection, log: silentLogger, clock: systemClock, random: Math.random }, end.signal),
    )
    this.#agent = {
      async stop() {
        end.abort(new Error('enough'))
        await running
      },
    }
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.stop()
    this.#agent = undefined
  }

  place(chart: string, form: Form): Place {
    const name = `${chart}-${form}`
    return { name, namespace: name, group: `${form}.${GROUP}`, certificate: textOf(this.cluster.ca), client: this.client }
  }

  /** Asks the agent to deploy a chart of testdata/drift: as it is, which makes helm install it, or rendered, which the agent installs itself. */
  async deploy(chart: string, form: Form): Promise<void> {
    const { name, namespace, group } = this.place(chart, form)
    const files = form === 'chart' ? await chartFiles(join(CHARTS, chart)) : [await this.#rendered(chart, name)]
    const { id, sha256, json } = encodeContent(files.map((file) => ({ ...file, content: file.content.replaceAll(GROUP, group) })))
    await this.client.create({
      ...CONTENT,
      metadata: { name: id },
      content: gzipSync(json).toString('base64'),
      sha256sum: sha256,
    } as KubeObject)
    const deploymentID = `${id}:${name}`
    const options = { defaultNamespace: namespace, helm: { releaseName: name } }
    const spec = { deploymentID, stagedDeploymentID: deploymentID, options }
    await this.client.create({ ...BUNDLE_DEPLOYMENT, metadata: { name, namespace: HUB_NAMESPACE }, spec } as KubeObject)
  }

  read(name: string): Promise<BundleDeployment> {
    return this.client.get<BundleDeployment>({ ...BUNDLE_DEPLOYMENT, name, namespace: HUB_NAMESPACE })
  }

  /** What is reported as modified, with patches as objects. */
  async modified(name: string): Promise<object[]> {
    const { status } = await this.read(name)
    return (status?.modifiedStatus ?? []).map(({ patch = 'null', ...resource }) => ({ ...resource, patch: JSON.parse(patch) as unknown }))
  }

  async change(name: string, spec: Partial<BundleDeploymentSpec>): Promise<void> {
    await this.client.patch({ ...BUNDLE_DEPLOYMENT, name, namespace: HUB_NAMESPACE }, { spec }, { type: 'merge' })
  }

  /** The versions of all bundle deployments: the same ones as long as nothing is written. */
  async versions(): Promise<Record<string, string | undefined>> {
    const { items } = await this.client.list(BUNDLE_DEPLOYMENT, { namespace: HUB_NAMESPACE })
    return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
  }

  /** Waits until a deployment is deployed as it should be, and found to be as it was deployed. */
  clean(name: string, timeoutMs = 90_000): Promise<BundleDeployment> {
    return eventually(
      async () => {
        const deployment = await this.read(name)
        const { appliedDeploymentID, nonModified, modifiedStatus, conditions = [] } = deployment.status ?? {}
        const failed = conditions.filter(({ type, status }) => type !== 'Ready' && status === 'False')
        const found = { applied: appliedDeploymentID, nonModified, modifiedStatus, failed }
        expect(found, JSON.stringify(found)).toEqual({
          applied: deployment.spec.deploymentID,
          nonModified: true,
          modifiedStatus: undefined,
          failed: [],
        })
        return deployment
      },
      { what: `${name} as it was deployed`, timeoutMs },
    )
  }

  /** Waits until the agent has asked for something and then for nothing more. Returns how often it asked. */
  async settled(from = 0): Promise<number> {
    await eventually(
      () => {
        expect(this.requests.length, 'requests of the agent').toBeGreaterThan(from)
        expect(Date.now() - this.#lastRequest, 'ms since the last request').toBeGreaterThan(QUIET_MS)
      },
      { what: 'the agent at rest' },
    )
    return this.requests.length
  }

  readonly #count = (message: unknown): void => {
    const { request } = message as { request: ClientRequest }
    const isOurs = request.getHeader('impersonate-user') !== undefined
    const isElsewhere = request.getHeader('host') !== new URL(this.cluster.url).host
    if (isOurs || isElsewhere || request.path.includes('watch=') || request.path.endsWith(`/clusters/${CLUSTER_NAME}/status`)) return
    this.#lastRequest = Date.now()
    this.requests.push(`${request.method} ${request.path}`)
  }

  #note({ metadata: { name }, status }: BundleDeployment): void {
    if (status?.nonModified === false) this.findings.push({ name, modified: status.modifiedStatus })
    const monitored = status?.conditions?.find(({ type }) => type === 'Monitored')
    if (monitored?.status === 'False') this.findings.push({ name, modified: monitored.message })
  }

  /** The context of the agent's kubeconfig names the cluster namespace. */
  #registration(): KubeObject {
    const { url, ca, token } = this.cluster
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'hub',
      clusters: [{ name: 'hub', cluster: { server: url, 'certificate-authority-data': textOf(ca) } }],
      users: [{ name: 'hub', user: { token } }],
      contexts: [{ name: 'hub', context: { cluster: 'hub', user: 'hub', namespace: HUB_NAMESPACE } }],
    }
    const data = {
      kubeconfig: textOf(JSON.stringify(kubeconfig)),
      deploymentNamespace: textOf(HUB_NAMESPACE),
      clusterNamespace: textOf(WORKSPACE),
      clusterName: textOf(CLUSTER_NAME),
    }
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fleet-agent', namespace: AGENT_NAMESPACE }, data } as KubeObject
  }

  async #rendered(chart: string, release: string): Promise<{ name: string; content: string }> {
    const helm = join(inject('clusters').hub.bin, 'helm')
    const args = ['template', release, join(CHARTS, chart), '--namespace', release, '--include-crds']
    const { stdout } = await promisify(execFile)(helm, args, { timeout: 60_000, maxBuffer: 2 ** 24 })
    return { name: 'manifests.yaml', content: stdout }
  }
}

function namespaceObject(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

async function chartFiles(folder: string): Promise<{ name: string; content: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  return Promise.all(names.sort().map(async (name) => ({ name, content: await readFile(join(folder, name), 'utf8') })))
}
