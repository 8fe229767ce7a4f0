// The hub side of registration on a real API server, kept to one workspace: other tests use the same server.
import { randomBytes } from 'node:crypto'
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import { CONTROLLER_CONFIG_NAME, MANAGED_LABEL, SET_HASH_LABEL, SET_OWNER_NAMESPACE_ANNOTATION, VERSION_ANNOTATION } from '../api/labels.ts'
import { followHubConfig } from '../config/hub-config.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { createEventRecorder } from '../lib/controller/events.ts'
import type { Logger } from '../lib/controller/log.ts'
import { createManager } from '../lib/controller/manager.ts'
import { createStatusWriter } from '../lib/controller/status.ts'
import { createClient, type KubeClient } from '../lib/kube/client.ts'
import { loadConnection } from '../lib/kube/connection.ts'
import { createInformerFactory, type Informer, type InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { type TestCluster, testCluster } from '../testing/cluster.ts'
import { createNamespace } from '../testing/kube.ts'
import { REGISTRATION_CONTROLLERS } from './controllers.ts'
import { createRegistrationInformers } from './informers.ts'
import { CONFIG_MAP, secretObject } from './kinds.ts'
import { PROCESS } from './objects.testing.ts'

const VERSION = 'v1'
const WORKSPACE_KINDS: readonly string[] = [CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN].map(({ kind }) => kind)
const SHARED_SELECTORS: readonly string[] = [`${MANAGED_LABEL}=true`, SET_HASH_LABEL]
const WRITES = ['create', 'update', 'patch', 'apply', 'delete', 'deleteCollection'] as const

/** Controllers that run. */
export interface Running {
  /** Every write they sent, as `verb Kind`. */
  readonly writes: string[]
  /** Every line they logged, as JSON. */
  readonly logged: string[]
  stop(): Promise<void>
}

export interface Scene {
  readonly hub: KubeClient
  readonly downstream: KubeClient
  readonly workspace: string
  readonly systemNamespace: string
  configure(change: Record<string, unknown>): Promise<void>
  start(): Promise<Running>
  /** Creates a kubeconfig secret and a Cluster that names it; the agent gets a namespace of the cluster's name. */
  importCluster(name: string, kubeconfig: string, secret?: Record<string, string>): Promise<void>
  cluster(name: string): Promise<Cluster>
}

/** A kubeconfig with the token of an administrator; `change` is merged into the user. */
export function kubeconfigOf({ url, ca, token }: TestCluster, change: object = {}): string {
  return JSON.stringify({
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'u', user: { token, ...change } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  })
}

export async function openScene(): Promise<Scene> {
  const connection = await loadConnection({ kubeconfig: testCluster('hub').kubeconfig })
  const hub = createClient(connection)
  const downstream = createClient(await loadConnection({ kubeconfig: testCluster('downstream').kubeconfig }))
  const workspace = await createNamespace(hub, 'ws')
  const systemNamespace = await createNamespace(hub, 'sys')
  const config: Record<string, unknown> = {
    apiServerURL: 'https://hub.example.com',
    agentImage: 'rancher/fleet-agent:v1',
    agentCheckinInterval: '15m',
  }
  const configMap = (): KubeObject & { data: Record<string, string> } => ({
    ...CONFIG_MAP,
    metadata: { name: CONTROLLER_CONFIG_NAME, namespace: systemNamespace, annotations: { [VERSION_ANNOTATION]: VERSION } },
    data: { config: JSON.stringify(config) },
  })
  await hub.create(configMap())

  async function start(): Promise<Running> {
    const writes: string[] = []
    const logged: string[] = []
    const log = recordingLogger(logged)
    const client = recordingClient(createClient(connection), writes)
    const factory = createInformerFactory(client, { log })
    const informers = createRegistrationInformers(keptTo(factory, workspace), systemNamespace)
    const source = followHubConfig(informers.configMaps, {
      namespace: systemNamespace,
      name: CONTROLLER_CONFIG_NAME,
      version: VERSION,
      versionAnnotation: VERSION_ANNOTATION,
      log,
    })
    const deps = {
      client,
      connection,
      informers,
      config: source,
      log,
      clock: systemClock,
      workers: 10,
      statuses: createStatusWriter(client),
      events: createEventRecorder(client, { component: 'fleet-agentmanagement', clock: systemClock, log }),
      randomBytes,
      settings: { systemNamespace, version: VERSION, agent: PROCESS, tokenTtlRequired: false, bootstrap: false },
    }
    const { cleanup: _, ...factories } = REGISTRATION_CONTROLLERS // it looks at objects of other tests too
    const stop = new AbortController()
    const running = createManager({ informers: [factory], controllers: Object.values(factories).map((create) => create(deps)), log }).run(
      stop.signal,
    )
    return {
      writes,
      logged,
      async stop() {
        stop.abort()
        await running
        await client.close()
      },
    }
  }

  return {
    hub,
    downstream,
    workspace,
    systemNamespace,
    start,
    async configure(change) {
      Object.assign(config, change)
      await hub.update(configMap())
    },
    async importCluster(name, kubeconfig, secret = {}) {
      await hub.create(secretObject({ name: `${name}-kubeconfig`, namespace: workspace }, { value: kubeconfig, ...secret }))
      const cluster: Cluster = {
        ...CLUSTER,
        metadata: { name, namespace: workspace },
        spec: { kubeConfigSecret: `${name}-kubeconfig`, agentNamespace: name },
      }
      await hub.create(cluster)
    },
    cluster: (name) => hub.get<Cluster>({ ...CLUSTER, name, namespace: workspace }),
  }
}

/** Caches that hold nothing of the scenes of other tests, which would be taken for something whose owner is gone. */
function keptTo(factory: InformerFactory, workspace: string): InformerFactory {
  const isOurs = ({ metadata: { namespace = '', annotations } }: KubeObject): boolean =>
    namespace.includes(workspace) || annotations?.[SET_OWNER_NAMESPACE_ANNOTATION] === workspace
  return {
    ...factory,
    informer: (options) => {
      if (WORKSPACE_KINDS.includes(options.type.kind)) return factory.informer({ ...options, namespace: workspace })
      const informer = factory.informer(options)
      return options.labelSelector && SHARED_SELECTORS.includes(options.labelSelector) ? filtered(informer, isOurs) : informer
    },
  }
}

function filtered<T extends KubeObject>(informer: Informer<T>, isOurs: (object: KubeObject) => boolean): Informer<T> {
  return {
    get synced() {
      return informer.synced
    },
    get: (name, namespace) => [informer.get(name, namespace)].find((object) => object && isOurs(object)),
    list: (namespace) => informer.list(namespace).filter(isOurs),
    by: (index, value) => informer.by(index, value).filter(isOurs),
    subscribe: (handler) => informer.subscribe((event) => (isOurs(event.object) ? handler(event) : undefined)),
    waitSynced: (signal) => informer.waitSynced(signal),
  }
}

function recordingClient(client: KubeClient, writes: string[]): KubeClient {
  const recording = WRITES.map((verb) => [
    verb,
    (target: { kind: string; metadata?: { name: string }; name?: string }, ...rest: unknown[]) => {
      writes.push(`${verb} ${target.kind} ${target.metadata?.name ?? target.name ?? ''}`)
      return (client[verb] as (...args: unknown[]) => unknown)(target, ...rest)
    },
  ])
  return { ...client, ...Object.fromEntries(recording) } as KubeClient
}

function recordingLogger(lines: string[], bound: object = {}): Logger {
  const write = (fields: object, message: string): void => {
    const { err } = fields as { err?: Error }
    lines.push(JSON.stringify({ ...bound, ...fields, ...(err ? { err: `${err.stack}` } : {}), message }))
  }
  return { debug: write, info: write, warn: write, error: write, child: (fields) => recordingLogger(lines, { ...bound, ...fields }) }
}
