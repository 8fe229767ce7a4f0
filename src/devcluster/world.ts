// A whole fleet on this machine: a hub and member clusters with our programs running in them, joined by the same steps that users take.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Logger } from '../lib/controller/log.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { UnknownKindError } from '../lib/kube/errors.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { parseYaml, parseYamlDocuments } from '../lib/yaml/parse.ts'
import { type DevCluster, type DevClusters, startClusters } from './clusters.ts'
import {
  agentObjects,
  expectedCluster,
  type HubAddress,
  hubObjects,
  importedCluster,
  SYSTEM_NAMESPACE,
  WORKSPACE,
} from './fleet-objects.ts'
import { freePorts } from './ports.ts'
import { type HostProgram, type ProcessNode, startProcessNode } from './process-node.ts'

const FIELD_MANAGER = 'devcluster'
/** The images that are installed. The nodes run these repositories as programs of this host, whatever the tag. */
const IMAGES = { hub: 'fleet:dev', agent: 'fleet-agent:dev' } as const
const WRITERS = 8
const WAIT_MS = 120_000

/** A member cluster and the labels it is targeted by. */
export interface Member {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** how it joins: the hub imports it with its kubeconfig (spec 3.2), or its agent registers with a token (3.6) */
  readonly joins?: 'import' | 'token'
}

export interface WorldOptions {
  /** folder with the programs of a control plane, kubectl and helm */
  readonly bin: string
  /** files that node runs as fleet-controller and fleet-agent */
  readonly programs: { readonly controller: string; readonly agent: string }
  /** folder with the CRDs as YAML */
  readonly crds: string
  readonly members: readonly Member[]
  readonly log: Logger
  /** how an agent reaches the hub, when not directly: for a proxy in between */
  readonly hubFor?: (member: string, hub: DevCluster) => Promise<HubAddress>
  readonly controllerEnv?: Readonly<Record<string, string>>
  /** settings of the hub beside those that it needs, as in ConfigMap fleet-controller */
  readonly config?: Readonly<Record<string, unknown>>
  readonly agentEnv?: Readonly<Record<string, string>>
  /** for the programs of a cluster's node, stronger than all else: where they listen, say */
  readonly nodeEnv?: (cluster: string) => Readonly<Record<string, string>>
  /** told what is being done, for people who wait */
  readonly onStep?: (step: string) => void
}

export interface World {
  readonly hub: DevCluster
  readonly members: Readonly<Record<string, DevCluster>>
  /** administrators' clients, by cluster name; the hub's is `hub` */
  readonly clients: Readonly<Record<string, KubeClient>>
  /** sends a signal to the program that runs as this Deployment; the pod starts it again */
  kill(cluster: string, program: 'fleet-controller' | 'fleet-agent', signal: NodeJS.Signals): boolean
  /** folder with data and logs; gone after `stop` */
  readonly dir: string
  stop(): Promise<void>
}

/** Starts everything; resolves when all objects are written (not when all pods run). Stops what it started when it fails. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const say = options.onStep ?? (() => undefined)
  say(`starting ${options.members.length + 1} control planes`)
  const clusters = await startClusters({ names: ['hub', ...options.members.map(({ name }) => name)], bin: options.bin, log: options.log })
  const clients: Record<string, KubeClient> = {}
  const nodes: Record<string, ProcessNode> = {}
  async function stop(): Promise<void> {
    await Promise.all(Object.values(nodes).map((node) => node.stop()))
    await Promise.all(Object.values(clients).map((client) => client.close()))
    await clusters.stop()
  }
  try {
    for (const cluster of Object.values(clusters.clusters)) {
      const client = createClient(await loadConnection({ kubeconfig: cluster.kubeconfig }))
      clients[cluster.name] = client
      nodes[cluster.name] = await startNode(options, clusters, cluster.name, client)
    }
    return await install(options, clusters, clients, nodes, stop, say)
  } catch (error) {
    await stop()
    throw error
  }
}

async function install(
  options: WorldOptions,
  clusters: DevClusters,
  clients: Record<string, KubeClient>,
  nodes: Record<string, ProcessNode>,
  stop: () => Promise<void>,
  say: (step: string) => void,
): Promise<World> {
  const hub = find(clusters.clusters, 'hub')
  const hubClient = find(clients, 'hub')
  say('installing the custom resource definitions')
  await installCrds(hubClient, options.crds)
  say('installing fleet-controller on the hub')
  const version = await versionOf(options.programs.controller)
  await applyAll(
    hubClient,
    hubObjects({ images: IMAGES, hub, version, env: { HOME: clusters.dir, ...options.controllerEnv }, config: options.config }),
  )
  await Promise.all(
    options.members.map((member) =>
      joinHub(options, member, { hub, hubClient, cluster: find(clusters.clusters, member.name), client: find(clients, member.name) }),
    ),
  )
  const members = Object.fromEntries(options.members.map(({ name }) => [name, find(clusters.clusters, name)]))
  return {
    hub,
    members,
    clients,
    dir: clusters.dir,
    kill: (cluster, program, signal) => find(nodes, cluster).signal(SYSTEM_NAMESPACE, program, signal) > 0,
    stop,
  }
}

function find<T>(record: Readonly<Record<string, T>>, name: string): T {
  const value = record[name]
  if (value === undefined) throw new Error(`there is no cluster ${name}`)
  return value
}

/** The node runs our two images as programs of this host, each on free ports; helm and kubectl come from the control plane's folder. */
async function startNode(options: WorldOptions, clusters: DevClusters, name: string, client: KubeClient): Promise<ProcessNode> {
  const [health, metrics] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`) as [string, string]
  const env = {
    PATH: `${options.bin}:${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    FLEET_HEALTHPROBE_BIND_ADDRESS: health,
    FLEET_METRICS_BIND_ADDRESS: metrics,
    // while an agent is rolled there are two of it on the node
    FLEET_AGENT_PROBE_BIND_ADDRESS: '0',
    FLEET_AGENT_METRICS_BIND_ADDRESS: '0',
    ...options.nodeEnv?.(name),
  }
  const { controller, agent } = options.programs
  const programs: Readonly<Record<string, string>> = { [repository(IMAGES.hub)]: controller, [repository(IMAGES.agent)]: agent }
  const images = (image: string, [, ...args]: string[]): HostProgram | undefined => {
    const program = programs[repository(image)]
    return program === undefined ? undefined : { command: [process.execPath, program, ...args], env }
  }
  return startProcessNode({
    client,
    name: `${name}-node`,
    images,
    dir: join(clusters.dir, `${name}-node`),
    log: options.log,
    restartDelays: { baseMs: 200, maxMs: 2_000 },
  })
}

/** What a program says of its version: the configuration is of the same one, or changes of it are not taken up (spec 2.3). */
export async function versionOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--version'], { timeout: WAIT_MS })
  return stdout.trim().split(' ').at(-1) ?? ''
}

function repository(image: string): string {
  return image.replace(/:[^:/]*$/, '')
}

/** Creates or updates all of them, namespaces first. */
export async function applyAll(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  const [namespaces, others] = [objects.filter(({ kind }) => kind === 'Namespace'), objects.filter(({ kind }) => kind !== 'Namespace')]
  for (const group of [namespaces, others])
    await inParallel(group, WRITERS, (object) => client.apply(object, { fieldManager: FIELD_MANAGER, force: true }))
}

/** Installs the CRDs of a folder and waits until they are served. */
export async function installCrds(client: KubeClient, folder: string): Promise<void> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  const crds = files.flatMap((file) => parseYamlDocuments(readFileSync(join(folder, file), 'utf8'))) as (KubeObject & {
    spec: { group: string; names: { kind: string } }
  })[]
  await applyAll(client, crds)
  for (const { spec } of crds)
    await until(`kind ${spec.names.kind} is served`, () => isServed(client, `${spec.group}/v1alpha1`, spec.names.kind))
}

async function isServed(client: KubeClient, apiVersion: string, kind: string): Promise<boolean> {
  try {
    await client.mapping({ apiVersion, kind })
    return true
  } catch (error) {
    // the API server needs a moment to serve a new kind
    if (error instanceof UnknownKindError) return false
    throw error
  }
}

interface Joining {
  readonly hub: DevCluster
  readonly hubClient: KubeClient
  readonly cluster: DevCluster
  readonly client: KubeClient
}

/** Does what a user does to add a cluster; the hub and the agent do the rest in their own time. */
async function joinHub(
  options: WorldOptions,
  { name, labels, joins = 'import' }: Member,
  { hub, hubClient, cluster, client }: Joining,
): Promise<void> {
  const say = options.onStep ?? (() => undefined)
  const address = (await options.hubFor?.(name, hub)) ?? hub
  if (joins === 'import') {
    say(`importing cluster ${name} with its kubeconfig`)
    await applyAll(hubClient, importedCluster(name, labels, readFileSync(cluster.kubeconfig, 'utf8'), address, { ...options.agentEnv }))
    return
  }
  say(`making a token for cluster ${name}, and installing an agent there that registers with it`)
  await applyAll(hubClient, expectedCluster(name, labels))
  const values = await tokenValues(hubClient, name)
  await applyAll(
    client,
    agentObjects({ ...values, apiServerURL: address.url, apiServerCA: address.ca }, name, IMAGES.agent, { ...options.agentEnv }),
  )
}

/** The values with which chart `fleet-agent` would be installed, out of the secret of a token. */
async function tokenValues(client: KubeClient, name: string): Promise<Record<string, string>> {
  let values: Record<string, string> = {}
  await until(`the values of token ${name}`, async () => {
    const secret = await client.find<KubeObject & { data?: Record<string, string> }>({
      apiVersion: 'v1',
      kind: 'Secret',
      name,
      namespace: WORKSPACE,
    })
    if (!secret?.data?.values) return false
    values = parseYaml(Buffer.from(secret.data.values, 'base64').toString()) as Record<string, string>
    return true
  })
  return values
}

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`${what}: not so after ${WAIT_MS / 1000} s`)
    await pause(100)
  }
}
