// The scene of stories about registration: a hub and a cluster without nodes. The test starts and kills the programs itself, and agents have a namespace each.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, inject } from 'vitest'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME } from '../api/labels.ts'
import { type DevCluster, type DevClusters, startClusters } from '../devcluster/clusters.ts'
import { hubObjects, SYSTEM_NAMESPACE, WORKSPACE } from '../devcluster/fleet-objects.ts'
import { createHostProcesses, type HostProcesses } from '../devcluster/host-process.ts'
import { renderKubeconfig } from '../devcluster/kubeconfig.ts'
import { applyAll, installCrds } from '../devcluster/world.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseYaml } from '../lib/yaml/parse.ts'
import { CONFIG_MAP, NAMESPACE, SECRET, type Secret, secretObject, secretText } from '../registration/kinds.ts'
import { eventually } from './eventually.ts'
import { program, ROOT } from './fleet.ts'
import { clientOf } from './kube.ts'

/** How an API server is reached: directly, or through a proxy. */
export interface Way {
  readonly url: string
  /** PEM */
  readonly ca: string
}

/** One of our programs, run by the test. */
export interface Program {
  readonly pid: number
  /** All that it has written so far, former runs of the same name included. */
  log(): string
  /** SIGKILL, to everything it has started too. */
  kill(): Promise<void>
}

export class Joining {
  #clusters: DevClusters | undefined
  #processes: HostProcesses | undefined
  #controllerToken = ''
  hub!: KubeClient
  down!: KubeClient

  async open(): Promise<void> {
    this.#clusters = await startClusters({ names: ['hub', 'down'], bin: inject('clusters').hub.bin })
    this.#processes = createHostProcesses()
    this.hub = await clientOf(this.cluster('hub').kubeconfig)
    this.down = await clientOf(this.cluster('down').kubeconfig)
    await installCrds(this.hub, join(ROOT, 'crds'))
    const objects = hubObjects({ images: { hub: 'unused', agent: 'fleet-agent:dev' }, hub: this.cluster('hub'), version: '' })
    await applyAll(
      this.hub,
      objects.filter(({ kind }) => kind !== 'Deployment'),
    )
    this.#controllerToken = await this.#accountToken('fleet-controller')
  }

  async close(): Promise<void> {
    await this.#processes?.close()
    await Promise.all([this.hub, this.down].map((client) => client?.close()))
    await this.#clusters?.stop()
  }

  cluster(name: 'hub' | 'down'): DevCluster {
    const cluster = this.#clusters?.clusters[name]
    if (!cluster) throw new Error('the scene is not open')
    return cluster
  }

  /** Starts fleet-controller with the rights of its service account; `args` in addition. */
  startController({ hub = this.cluster('hub'), args = [] }: { hub?: Way; args?: readonly string[] } = {}): Program {
    const kubeconfig = renderKubeconfig({ name: 'hub', server: hub.url, ca: hub.ca, user: { token: this.#controllerToken } })
    return this.#start('fleet-controller', 'hub', { kubeconfig, args, env: { NAMESPACE: SYSTEM_NAMESPACE } })
  }

  /** Starts the agent of a namespace. */
  startAgent(namespace: string, { down = this.cluster('down') }: { down?: Way } = {}): Program {
    const { token } = this.cluster('down')
    const kubeconfig = renderKubeconfig({ name: 'down', server: down.url, ca: down.ca, user: { token } })
    const env = { NAMESPACE: namespace, AGENT_SCOPE: namespace, CHECKIN_INTERVAL: '2s', HOSTNAME: `agent-of-${namespace}` }
    return this.#start('fleet-agent', namespace, { kubeconfig, args: [], env })
  }

  /** Creates a kubeconfig secret and a Cluster that names it; its agent gets a namespace of the same name. */
  async importCluster(
    name: string,
    { down = this.cluster('down'), clientID }: { readonly down?: Way; readonly clientID?: string } = {},
  ): Promise<void> {
    const value = renderKubeconfig({ name: 'down', server: down.url, ca: down.ca, user: { token: this.cluster('down').token } })
    await this.hub.create(secretObject({ name: `${name}-kubeconfig`, namespace: WORKSPACE }, { value }))
    const cluster: Cluster = {
      ...CLUSTER,
      metadata: { name, namespace: WORKSPACE },
      spec: { kubeConfigSecret: `${name}-kubeconfig`, agentNamespace: name, ...(clientID ? { clientID } : {}) },
    }
    await this.hub.create(cluster)
  }

  /** Makes a token, and returns what the chart fleet-agent would be installed with. */
  async token(name: string): Promise<Record<string, string>> {
    await this.hub.create({ ...CLUSTER_REGISTRATION_TOKEN, metadata: { name, namespace: WORKSPACE }, spec: { ttl: '1h' } } as KubeObject)
    return eventually(
      async () => {
        const values = secretText(await this.hub.get<Secret>({ ...SECRET, name, namespace: WORKSPACE }), 'values')
        return parseYaml(values) as Record<string, string>
      },
      { what: `values of token ${name}` },
    )
  }

  /** What chart fleet-agent leaves in the namespace of an agent, without the agent itself. */
  async prepareAgent(namespace: string, clientID: string, values: Readonly<Record<string, string>>): Promise<void> {
    const config = JSON.stringify({ clientID, agentTLSMode: 'strict' })
    await applyAll(this.down, [
      { ...NAMESPACE, metadata: { name: namespace } },
      { ...CONFIG_MAP, metadata: { name: AGENT_NAME, namespace }, data: { config } } as KubeObject,
    ])
    await this.bootstrap(namespace, values)
  }

  /** Gives an agent a bootstrap secret, in place of the one it may have. */
  async bootstrap(namespace: string, values: Readonly<Record<string, string>>): Promise<void> {
    const hub = this.cluster('hub')
    const texts = Object.entries({ apiServerURL: hub.url, apiServerCA: hub.ca, ...values }).filter(([, text]) => typeof text === 'string')
    await applyAll(this.down, [secretObject({ name: AGENT_BOOTSTRAP_NAME, namespace }, Object.fromEntries(texts))])
  }

  /** The texts of the agent's credential; undefined when it has none. */
  async credential(namespace: string): Promise<Record<string, string> | undefined> {
    const secret = await this.down.find<Secret>({ ...SECRET, name: AGENT_NAME, namespace })
    return secret && Object.fromEntries(Object.keys(secret.data ?? {}).map((key) => [key, secretText(secret, key)]))
  }

  registered(namespace: string, timeoutMs = 60_000): Promise<Record<string, string>> {
    return eventually(
      async () => {
        const credential = await this.credential(namespace)
        if (!credential) throw new Error('no credential')
        if (await this.down.find({ ...SECRET, name: AGENT_BOOTSTRAP_NAME, namespace }))
          throw new Error('the bootstrap secret is still there')
        return credential
      },
      { what: `agent of ${namespace} registered`, timeoutMs },
    )
  }

  async registrations(clientID: string): Promise<ClusterRegistration[]> {
    const { items } = await this.hub.list<ClusterRegistration>(CLUSTER_REGISTRATION, { namespace: WORKSPACE })
    return items.filter(({ spec }) => spec.clientID === clientID)
  }

  clusterObject(name: string): Promise<Cluster> {
    return this.hub.get<Cluster>({ ...CLUSTER, name, namespace: WORKSPACE })
  }

  async #accountToken(name: string): Promise<string> {
    const path = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/serviceaccounts/${name}/token`
    const body = { spec: { expirationSeconds: 7_200 } }
    return (await this.hub.request<{ status: { token: string } }>('POST', path, { body })).status.token
  }

  #start(
    what: 'fleet-controller' | 'fleet-agent',
    name: string,
    { kubeconfig, args, env }: { kubeconfig: string; args: readonly string[]; env: Readonly<Record<string, string>> },
  ): Program {
    if (!this.#clusters || !this.#processes) throw new Error('the scene is not open')
    const { dir } = this.#clusters
    const file = join(dir, `${what}-${name}.kubeconfig`)
    writeFileSync(file, kubeconfig, { mode: 0o600 })
    const nowhere = Object.fromEntries(
      ['HEALTHPROBE', 'METRICS', 'AGENT_PROBE', 'AGENT_METRICS'].map((part) => [`FLEET_${part}_BIND_ADDRESS`, '0']),
    )
    const path = `${inject('clusters').hub.bin}:${dirname(process.execPath)}:/usr/bin:/bin`
    const child = this.#processes.start({
      name: `${what} ${name}`,
      command: [process.execPath, program(what), '--leader-elect=false', ...args],
      logFile: join(dir, `${what}-${name}.log`),
      env: { PATH: path, HOME: dir, KUBECONFIG: file, ...nowhere, ...env },
      cwd: dir,
    })
    return {
      pid: child.pid ?? 0,
      log: () => readFileSync(child.logFile, 'utf8'),
      async kill() {
        child.kill('SIGKILL')
        await child.exited
      },
    }
  }
}

/** A scene for all tests of a file. */
export function useJoining(): Joining {
  const scene = new Joining()
  beforeAll(() => scene.open())
  afterAll(() => scene.close())
  return scene
}
