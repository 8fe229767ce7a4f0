// The scene of a take-over: a recorded hub and its cluster as Go Fleet leaves them, and our programs that go on from there.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { inject } from 'vitest'
import { SYSTEM_NAMESPACE } from '../devcluster/fleet-objects.ts'
import { createHostProcesses, type HostProcess, type HostProcesses } from '../devcluster/host-process.ts'
import { type ProcessNode, startProcessNode } from '../devcluster/process-node.ts'
import { silentLogger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject, ResourceType } from '../lib/kube/types.ts'
import { importFixture } from './fixtures.ts'
import { program, ROOT } from './fleet.ts'
import { clientOf } from './kube.ts'

/** An API server of the restored scene. */
interface RestoredCluster {
  readonly url: string
  readonly ca: string
  readonly token: string
  readonly kubeconfig: string
}

/** What the recording's own loader gives. */
interface Restored {
  readonly scene: { readonly plane: { readonly clusters: Readonly<Record<'hub' | 'one', RestoredCluster>> } }
  readonly repository: { commit(files: Readonly<Record<string, string>>): Promise<string> }
  close(): Promise<void>
}

/** What must survive, as the recording's own helpers compare it. */
export interface Survivors {
  takeState(scene: unknown): Promise<SurvivingState>
  assertKept(before: object, now: object): void
  assertReleasesKept(before: SurvivingState, now: SurvivingState): void
  assertDeploymentsKept(before: SurvivingState, now: SurvivingState): void
  assertNotRolledOut(before: SurvivingState, now: SurvivingState): void
  assertContentsKept(before: SurvivingState, now: SurvivingState): void
  assertNotRegisteredAgain(before: SurvivingState, now: SurvivingState): void
  allReady(scene: unknown, options: { since?: number; commit?: string; timeoutMs?: number }): Promise<void>
}

interface SurvivingState {
  readonly deployed: Readonly<Record<string, string>>
  readonly fleet: Readonly<Record<string, string>>
  readonly contents: Readonly<Record<string, string>>
  readonly releases: Readonly<Record<string, number>>
}

export class Takeover {
  readonly #folder: string
  #dir = ''
  #restored: Restored | undefined
  #processes: HostProcesses | undefined
  #node: ProcessNode | undefined
  #controller: HostProcess | undefined
  hub!: KubeClient
  one!: KubeClient
  survivors!: Survivors

  /** `folder` holds the recording and its loader. */
  constructor(folder: string) {
    this.#folder = folder
  }

  async open(): Promise<void> {
    this.#dir = mkdtempSync(join(tmpdir(), 'fleet-takeover-'))
    const adapter = join(this.#dir, 'adapter.json')
    writeFileSync(adapter, JSON.stringify({ name: 'fleet', crds: join(ROOT, 'crds'), roles: {} }))
    // the recording's helpers find programs and resource definitions by these
    Object.assign(process.env, { KUBE_BIN: inject('clusters').hub.bin, CONFORMANCE_ADAPTER: adapter })
    this.survivors = await importFixture<Survivors>(resolve(this.#folder, '..', '..', 'conformance', 'lib', 'takeover-state.ts'))
    const { restoreState } = await importFixture<{ restoreState(folder: string): Promise<Restored> }>(join(this.#folder, 'restore.ts'))
    this.#restored = await restoreState(this.#folder)
    this.#processes = createHostProcesses()
    this.hub = await clientOf(this.server('hub').kubeconfig)
    this.one = await clientOf(this.server('one').kubeconfig)
  }

  async close(): Promise<void> {
    await this.#node?.stop()
    await this.#processes?.close()
    await Promise.all([this.hub, this.one].map((client) => client?.close()))
    await this.#restored?.close()
    if (this.#dir) rmSync(this.#dir, { recursive: true, force: true })
  }

  get restored(): Restored {
    if (!this.#restored) throw new Error('the scene is not open')
    return this.#restored
  }

  server(name: 'hub' | 'one'): RestoredCluster {
    return this.restored.scene.plane.clusters[name]
  }

  /** A node for the cluster: each of these images runs as our agent, all other pods are ready at once. */
  async startNode(agentImages: readonly string[]): Promise<void> {
    const env = {
      PATH: this.#path(),
      FLEET_AGENT_PROBE_BIND_ADDRESS: '0',
      FLEET_AGENT_METRICS_BIND_ADDRESS: '0',
    }
    this.#node = await startProcessNode({
      client: this.one,
      name: 'one-node',
      images: (image, [, ...args]) =>
        agentImages.includes(image) ? { command: [process.execPath, program('fleet-agent'), ...args], env } : undefined,
      dir: join(this.#dir, 'node'),
      log: silentLogger,
      restartDelays: { baseMs: 200, maxMs: 2_000 },
    })
  }

  /** Kills the agent; its pod starts it again. */
  killAgent(): boolean {
    return (this.#node?.signal(SYSTEM_NAMESPACE, 'fleet-agent', 'SIGKILL') ?? 0) > 0
  }

  /** Stops the node with all its pods: no agent works any more. */
  async stopNode(): Promise<void> {
    await this.#node?.stop()
    this.#node = undefined
  }

  startController(): void {
    this.#controller = this.#processes?.start({
      name: 'fleet-controller',
      command: [process.execPath, program('fleet-controller'), '--listen=127.0.0.1:0'],
      logFile: join(this.#dir, 'fleet-controller.log'),
      cwd: this.#dir,
      env: {
        PATH: this.#path(),
        HOME: this.#dir,
        KUBECONFIG: this.server('hub').kubeconfig,
        NAMESPACE: SYSTEM_NAMESPACE,
        EXPERIMENTAL_SCHEDULES: 'true',
        FLEET_HEALTHPROBE_BIND_ADDRESS: '0',
        FLEET_METRICS_BIND_ADDRESS: '0',
        // who loses the lease ends, and nobody starts it again: longer than a busy machine stands still
        CATTLE_ELECTION_LEASE_DURATION: '10s',
        CATTLE_ELECTION_RENEW_DEADLINE: '8s',
        CATTLE_ELECTION_RETRY_PERIOD: '1s',
        FLEET_AGENT_ELECTION_LEASE_DURATION: '6s',
        FLEET_AGENT_ELECTION_RENEW_DEADLINE: '4s',
        FLEET_AGENT_ELECTION_RETRY_PERIOD: '1s',
      },
    })
  }

  async killController(): Promise<void> {
    this.#controller?.kill('SIGKILL')
    await this.#controller?.exited
  }

  controllerLog(): string {
    return this.#controller ? readFileSync(this.#controller.logFile, 'utf8') : ''
  }

  #path(): string {
    return `${inject('clusters').hub.bin}:${dirname(process.execPath)}:/usr/bin:/bin`
  }
}

/** All objects of these kinds, by kind, namespace and name. */
export async function objectsOf(client: KubeClient, types: readonly ResourceType[]): Promise<Map<string, KubeObject>> {
  const lists = await Promise.all(types.map((type) => client.list<KubeObject>(type)))
  const all = lists.flatMap(({ items }) => items)
  return new Map(all.map((object) => [`${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`, object]))
}
