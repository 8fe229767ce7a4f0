// For tests: an agent's cluster and a hub, both real, with the hub's answers played by the test.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { registrationSecretName } from '../../api/names.ts'
import { createClient, type KubeClient } from '../../lib/kube/client.ts'
import { type ConnectionOptions, loadConnection } from '../../lib/kube/connection.ts'
import type { Upstream } from '../upstream.ts'
import { kubeconfigText } from './hub.ts'
import {
  type AgentPlace,
  type CapturedLog,
  captureLog,
  createAgentPlace,
  createFastClock,
  type FakeHub,
  startFakeHub,
} from './hub-fixture.ts'
import { isRefusal } from './judge.ts'
import type { RegistrationOptions } from './options.ts'
import { ensureRegistered } from './register.ts'

export const CREDENTIAL = 'fleet-agent'
export const BOOTSTRAP = 'fleet-agent-bootstrap'
/** How much faster time passes for the agent. */
const SPEED = 5

/** A cluster as tests know it. */
interface Cluster {
  readonly url: string
  readonly ca: string
  /** Path. */
  readonly kubeconfig: string
}

/** New for each test. No token and no name of a credential may ever be in its log. */
export class Scene {
  readonly hubCluster: Cluster
  /** An administrator of the agent's cluster, and of the hub. */
  client!: KubeClient
  hubClient!: KubeClient
  hub!: FakeHub
  place!: AgentPlace
  log!: CapturedLog
  #stop = new AbortController()
  #running: Promise<unknown>[] = []

  constructor(hubCluster: Cluster) {
    this.hubCluster = hubCluster
  }

  async begin(): Promise<void> {
    this.hub = await startFakeHub(this.hubClient, this.hubCluster)
    this.place = await createAgentPlace(this.client, { clientID: 'client-1', labels: { env: 'test' }, agentTLSMode: 'system-store' })
    this.log = captureLog()
    this.#stop = new AbortController()
    this.#running = []
  }

  async end(): Promise<void> {
    this.#stop.abort(new Error('the test is over'))
    await Promise.allSettled(this.#running)
    const identities = (await this.hub.requests()).map(({ spec: { clientID = '', clientRandom = '' } }) => [
      clientRandom,
      registrationSecretName(clientID, clientRandom),
    ])
    await this.hub.stop()
    await this.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: this.place.namespace })
    for (const secret of [...this.hub.tokens, ...identities.flat()]) expect(this.logged(secret)).toEqual([])
  }

  options(client = this.client): RegistrationOptions {
    return { client, namespace: this.place.namespace, podName: 'pod-1', clock: createFastClock(SPEED), log: this.log, random: () => 0.5 }
  }

  /** Aborted at the end of the test. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Something that must have ended before the next test. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#running.push(work)
    work.catch(() => {}) // those who await it hear of it
    return work
  }

  start(client = this.client, signal = this.signal): Promise<Upstream> {
    return this.track(ensureRegistered(this.options(client), signal))
  }

  /** Gives the agent a bootstrap secret and starts it. */
  async register(): Promise<Upstream> {
    await this.place.putSecret(BOOTSTRAP, this.hub.bootstrap)
    return this.start()
  }

  /** The lines of the log that contain a text. */
  logged(text: string): string[] {
    return this.log.lines.filter((line) => line.includes(text))
  }

  async requestNames(): Promise<string[]> {
    return (await this.hub.requests()).map((request) => request.metadata.name)
  }

  /** The texts of a credential secret with this token. */
  credentialOf(token: string, { server = this.hubCluster.url, ca = this.hubCluster.ca } = {}): Record<string, string> {
    const { deploymentNamespace, workspace } = this.hub
    const kubeconfig = kubeconfigText({ server, ca, token, namespace: deploymentNamespace })
    return { kubeconfig, deploymentNamespace, clusterNamespace: workspace, clusterName: 'one' }
  }

  /** Whether the hub takes a credential. */
  async works(upstream: Upstream): Promise<boolean> {
    return (await this.#tried(upstream)) === undefined
  }

  /** Whether the hub says that it does not take a credential; no answer is no refusal. */
  async refuses(upstream: Upstream): Promise<boolean> {
    return isRefusal(await this.#tried(upstream))
  }

  /** What comes of using a credential: nothing, or an error. */
  async #tried({ kubeconfig }: Upstream): Promise<unknown> {
    const self = await clientOf({ kubeconfigText: kubeconfig })
    const path = `/apis/fleet.cattle.io/v1alpha1/namespaces/${this.hub.deploymentNamespace}/bundledeployments`
    const listed = self.request('GET', path).then(
      () => undefined,
      (error: unknown) => error,
    )
    return listed.finally(() => self.close())
  }
}

/** A scene for the tests of a file, with the hub in one cluster and the agent in another. */
export function useScene(clusters: { hub: Cluster; downstream: Cluster }): Scene {
  const scene = new Scene(clusters.hub)
  beforeAll(async () => {
    scene.hubClient = await clientOf(clusters.hub)
    scene.client = await clientOf(clusters.downstream)
  })
  beforeEach(() => scene.begin())
  afterEach(() => scene.end())
  afterAll(async () => {
    await scene.hubClient?.close()
    await scene.client?.close()
  })
  return scene
}

async function clientOf({ kubeconfig, kubeconfigText }: Pick<ConnectionOptions, 'kubeconfig' | 'kubeconfigText'>): Promise<KubeClient> {
  return createClient(await loadConnection({ kubeconfig, kubeconfigText }))
}
