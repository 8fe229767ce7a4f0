// The scene of stories about the agent alone: it runs as a program of its own, and the test plays the hub. What it asks goes through proxies.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect } from 'vitest'
import type { BundleResource } from '../api/bundle.ts'
import type { BundleDeployment, BundleDeploymentSpec } from '../api/bundle-deployment.ts'
import type { BundleDeploymentOptions } from '../api/bundle-deployment-options.ts'
import { encodeContent } from '../api/content-id.ts'
import { deploymentId } from '../api/deployment-id.ts'
import { BUNDLE_DEPLOYMENT, CONTENT } from '../api/kinds.ts'
import { AGENT_NAME } from '../api/labels.ts'
import { createHostProcesses, type HostProcess, type HostProcesses } from '../devcluster/host-process.ts'
import { renderKubeconfig } from '../devcluster/kubeconfig.ts'
import { type Condition, getCondition } from '../lib/controller/conditions.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { type Call, type CallProxy, startCallProxy, type Verdict } from './call-proxy.ts'
import { testCluster, uniqueNamespace } from './cluster.ts'
import { eventually } from './eventually.ts'
import { program } from './fleet.ts'
import { clientOf, createNamespace } from './kube.ts'
import { createLocalCertificate } from './local-certificate.ts'

export interface AgentSceneOptions {
  /** Environment of the agent beside what every agent gets. */
  readonly env?: Readonly<Record<string, string>>
  /** Decides about what the agent asks the hub and its own cluster. */
  readonly judge?: (call: Call, cluster: 'hub' | 'downstream') => Verdict
}

/** What is to be deployed. */
export interface TestBundle {
  /** Texts of files, or objects that are written as JSON. */
  readonly files?: Readonly<Record<string, string | object>>
  /** In place of the files: resources as they are stored. */
  readonly resources?: readonly BundleResource[]
  readonly options?: BundleDeploymentOptions
  readonly spec?: Partial<BundleDeploymentSpec>
}

const PAUSE = ['FLEET_AGENT_PROBE_BIND_ADDRESS', 'FLEET_AGENT_METRICS_BIND_ADDRESS']
const CONFIG = JSON.stringify({ garbageCollectionInterval: '1s' })

export class AgentScene {
  readonly #options: AgentSceneOptions
  readonly #processes: HostProcesses = createHostProcesses()
  readonly #proxies: CallProxy[] = []
  #child: HostProcess | undefined
  /** Folder with the log of the agent and its temporary files. */
  readonly dir = mkdtempSync(join(tmpdir(), 'fleet-agent-scene-'))
  readonly agentNamespace = uniqueNamespace('agent')
  readonly clusterNamespace = uniqueNamespace('cluster')
  hub!: KubeClient
  down!: KubeClient

  constructor(options: AgentSceneOptions = {}) {
    this.#options = options
  }

  async open(): Promise<void> {
    const { judge = () => 'pass' } = this.#options
    const certificate = await createLocalCertificate(this.dir, { hosts: ['IP:127.0.0.1'] })
    this.hub = await clientOf(testCluster('hub').kubeconfig)
    this.down = await clientOf(testCluster('downstream').kubeconfig)
    for (const name of ['hub', 'downstream'] as const)
      this.#proxies.push(await startCallProxy({ target: testCluster(name), certificate, judge: (call) => judge(call, name) }))
    await this.hub.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.clusterNamespace } })
    await this.down.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.agentNamespace } })
    await this.#register()
  }

  async close(): Promise<void> {
    await this.#processes.close()
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
    await Promise.all([this.hub, this.down].map((client) => client?.close()))
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }

  /** Number of the process of the agent. */
  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exit === undefined
  }

  /** How to start the agent. */
  get command(): { readonly command: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly cwd: string } {
    const { url, ca } = this.proxy('downstream')
    const { token, bin } = testCluster('downstream')
    const kubeconfig = join(this.dir, 'kubeconfig')
    writeFileSync(kubeconfig, renderKubeconfig({ name: 'down', server: url, ca, user: { token } }), { mode: 0o600 })
    const nowhere = Object.fromEntries(PAUSE.map((name) => [name, '0']))
    const path = `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`
    const own = { PATH: path, HOME: this.dir, TMPDIR: this.dir, KUBECONFIG: kubeconfig, NAMESPACE: this.agentNamespace }
    return {
      command: [process.execPath, program('fleet-agent'), '--leader-elect=false'],
      env: { ...nowhere, ...own, HOSTNAME: 'agent', ...this.#options.env },
      cwd: this.dir,
    }
  }

  start(): void {
    this.#child = this.#processes.start({ name: 'fleet-agent', logFile: join(this.dir, 'agent.log'), ...this.command })
  }

  /** SIGKILL, to everything it has started too. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#child?.exited
  }

  log(): string {
    return readFileSync(join(this.dir, 'agent.log'), 'utf8')
  }

  proxy(name: 'hub' | 'downstream'): CallProxy {
    const proxy = this.#proxies[name === 'hub' ? 0 : 1]
    if (!proxy) throw new Error('the scene is not open')
    return proxy
  }

  /** Creates a deployment or gives it another version; its release goes into a namespace of its name unless the options say otherwise. */
  async deploy(name: string, { files = {}, resources, options = {}, spec = {} }: TestBundle): Promise<void> {
    const { id } = await this.#store(resources ?? resourcesOf(files))
    const all: BundleDeploymentOptions = { defaultNamespace: name, helm: {}, ...options }
    const deploymentID = deploymentId(id, all)
    const full = { deploymentID, stagedDeploymentID: deploymentID, options: all, ...spec }
    await this.hub.apply({ ...BUNDLE_DEPLOYMENT, metadata: { name, namespace: this.clusterNamespace }, spec: full } as KubeObject, {
      fieldManager: 'story',
      force: true,
    })
  }

  deployment(name: string): Promise<BundleDeployment> {
    return this.hub.get<BundleDeployment>(this.#ref(name))
  }

  async remove(name: string): Promise<void> {
    await this.hub.delete(this.#ref(name))
  }

  /** Waits until the version that is asked for is deployed, and as it should be. */
  ready(name: string, timeoutMs = 60_000): Promise<BundleDeployment> {
    return eventually(() => this.isReady(name), { what: `${name} ready`, timeoutMs })
  }

  /** The same, without waiting. */
  async isReady(name: string): Promise<BundleDeployment> {
    const deployment = await this.deployment(name)
    const { spec, status } = deployment
    const ready = getCondition(status?.conditions, 'Ready')?.status
    const isApplied = status?.appliedDeploymentID === spec.deploymentID
    const expected = { isApplied: true, ready: 'True', nonModified: true }
    expect({ isApplied, ready, nonModified: status?.nonModified }, JSON.stringify(status)).toEqual(expected)
    return deployment
  }

  /** Waits until a condition is False and says what is wrong. */
  refused(name: string, type: 'Deployed' | 'Installed' | 'Ready' | 'Monitored', message: RegExp, timeoutMs = 60_000): Promise<Condition> {
    return eventually(
      async () => {
        const { status } = await this.deployment(name)
        const condition = getCondition(status?.conditions, type)
        expect(condition?.status, JSON.stringify(status)).toBe('False')
        expect(condition?.message ?? '').toMatch(message)
        return condition as Condition
      },
      { what: `${name}: ${type} says ${message}`, timeoutMs },
    )
  }

  #ref(name: string): ObjectRef {
    return { ...BUNDLE_DEPLOYMENT, name, namespace: this.clusterNamespace }
  }

  async #store(resources: readonly BundleResource[]): Promise<{ id: string }> {
    const { id, sha256, json } = encodeContent(resources)
    await this.content(id, gzipSync(json), sha256)
    return { id }
  }

  /** Stores a content as it is, whatever is in it. */
  async content(name: string, packed: Buffer, sha256sum = ''): Promise<void> {
    const content = { ...CONTENT, metadata: { name }, content: packed.toString('base64'), sha256sum } as unknown as KubeObject
    await this.hub.create(content).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  }

  /** What a registration leaves behind, with an administrator's token. */
  async #register(): Promise<void> {
    const { url, ca } = this.proxy('hub')
    const { token } = testCluster('hub')
    const texts = {
      kubeconfig: renderKubeconfig({ name: 'hub', server: url, ca, user: { token }, namespace: this.clusterNamespace }),
      deploymentNamespace: this.clusterNamespace,
      clusterNamespace: 'fleet-default',
      clusterName: 'one',
    }
    const metadata = { name: AGENT_NAME, namespace: this.agentNamespace }
    const data = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
    await this.down.create({ apiVersion: 'v1', kind: 'Secret', metadata, data } as KubeObject)
    await this.down.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { config: CONFIG } } as KubeObject)
  }
}

function resourcesOf(files: Readonly<Record<string, string | object>>): BundleResource[] {
  return Object.entries(files).map(([name, content]) => ({
    name,
    content: typeof content === 'string' ? content : JSON.stringify(content),
  }))
}

/** A scene for all tests of a block. The agent is not started. */
export function useAgent(options: AgentSceneOptions = {}): AgentScene {
  const scene = new AgentScene(options)
  beforeAll(() => scene.open())
  afterAll(() => scene.close())
  return scene
}

/** A namespace with objects that are nobody's business but the user's; resolves to what tells whether they are untouched. */
export async function withBystanders(client: KubeClient, prefix: string): Promise<{ namespace: string; untouched(): Promise<void> }> {
  const namespace = await createNamespace(client, prefix)
  const other = { 'meta.helm.sh/release-name': 'other', 'meta.helm.sh/release-namespace': namespace }
  const objects: KubeObject[] = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine', namespace } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'of-another-release', namespace, labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: other },
    },
  ]
  const created = await Promise.all(objects.map((object) => client.create(object)))
  return {
    namespace,
    async untouched() {
      for (const { apiVersion, kind, metadata } of created) {
        const live = await client.find<KubeObject>({ apiVersion, kind, name: metadata.name, namespace })
        expect(live?.metadata, `${metadata.name} of ${namespace}`).toMatchObject({
          uid: metadata.uid,
          resourceVersion: metadata.resourceVersion,
        })
      }
    },
  }
}
