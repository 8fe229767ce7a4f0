// A stand-in for a kubelet: takes the pods of a cluster, runs those of our own images as programs of this host and pretends that the others run.
import type { Clock } from '../lib/controller/clock.ts'
import { systemClock } from '../lib/controller/clock.ts'
import { createController } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { InformerEvent } from '../lib/kube/informer.ts'
import { createInformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { createHostProcesses } from './host-process.ts'
import { createNodeObject, NODE_IP, nodeFacts, nodeLabels, renewLease, setNodeReady } from './node-object.ts'
import type { RestartDelays } from './pods/backoff.ts'
import type { ImagePrograms } from './pods/launch.ts'
import { podFolder } from './pods/pod-folder.ts'
import { bindPod, deletePod, newerPod, writePodStatus } from './pods/pod-requests.ts'
import { computePodStatus } from './pods/status.ts'
import { timestamp } from './pods/supervisor.ts'
import type { ConfigMap, Pod, Secret } from './pods/types.ts'
import { CONFIG_MAP, POD, SECRET } from './pods/types.ts'
import type { PodWorker } from './pods/worker.ts'
import { graceOf, startWorker } from './pods/worker.ts'

export type { HostProgram } from './pods/launch.ts'

export interface ProcessNodeOptions {
  /** Client with an administrator's rights. It stays open. */
  readonly client: KubeClient
  /** Name of the Node object. */
  readonly name: string
  readonly images: ImagePrograms
  /** Folder for volumes and logs: `pods/<namespace>_<pod>/<container>.log`. Logs stay when a pod goes. */
  readonly dir: string
  readonly log: Logger
  /** URL of the API server for the pods, when it is not the client's: for example a proxy. Its certificate must be valid for that name. */
  readonly server?: string
  /** Delays before a container that ended is started again. Default: 10 s, doubled up to 5 min. */
  readonly restartDelays?: RestartDelays
  readonly clock?: Clock
}

export interface ProcessNode {
  /** Sends a signal to the containers of that name in a namespace; what follows is up to their pods. @returns how many there were */
  signal(namespace: string, container: string, signal: NodeJS.Signals): number
  /** Ends all programs at once (their pods stay as they are) and marks the node as not ready. */
  stop(): Promise<void>
}

const LEASE_INTERVAL_MS = 10_000
const RETRY_MS = 2000
const SYNC_LIMIT_MS = 60_000
const FAREWELL_MS = 2000
const DEFAULT_SCHEDULER = 'default-scheduler'
const FORCED_GRACE_MS = 2000
const WORKERS = 8

/** Registers the node and starts to take pods; resolves when the node is known and the pods are being watched. */
export async function startProcessNode(options: ProcessNodeOptions): Promise<ProcessNode> {
  const { client, name, dir } = options
  const clock = options.clock ?? systemClock
  const log = options.log.child({ node: name })
  const abort = new AbortController()
  const processes = createHostProcesses()
  const workers = new Map<string, PodWorker>()
  const reported = new WeakMap<PodWorker, Pod>()
  const running: Promise<void>[] = []
  const facts = nodeFacts(name)
  const labels = nodeLabels(name)
  const factory = createInformerFactory(client, { clock, log })
  const pods = factory.informer<Pod>({ type: POD })
  const controller = createController({
    name: 'process-node',
    workers: WORKERS,
    reconcile,
    clock,
    log,
    backoff: { baseMs: 100, maxMs: 10_000 },
  })

  async function reconcile(key: string): Promise<void> {
    const { name: podName, namespace = 'default' } = parseKey(key)
    const pod = pods.get(podName, namespace)
    const worker = workers.get(key)
    if (worker !== undefined && worker.uid !== pod?.metadata.uid) return drop(key, worker)
    if (pod === undefined) return
    if (pod.spec.nodeName === undefined) return bind(pod)
    if (pod.spec.nodeName !== name) return
    if (pod.metadata.deletionTimestamp !== undefined) return finish(key, pod, worker)
    if (isOver(pod)) return
    // A worker that has just begun says when there is something to report.
    if (worker === undefined) begin(key, pod)
    else await report(pod, worker)
  }

  // The pod is gone without waiting for us, or is another one of the same name.
  function drop(key: string, worker: PodWorker): void {
    if (!worker.stopped) return void worker.stop(FORCED_GRACE_MS)
    workers.delete(key)
    controller.enqueue(key)
  }

  async function bind(pod: Pod): Promise<void> {
    if (pod.metadata.deletionTimestamp !== undefined || (pod.spec.schedulingGates ?? []).length > 0) return
    const unmet = Object.entries(pod.spec.nodeSelector ?? {}).find(([key, value]) => labels[key] !== value)
    if (unmet === undefined && (pod.spec.schedulerName ?? DEFAULT_SCHEDULER) === DEFAULT_SCHEDULER) return bindPod(client, pod, name)
    log.debug({ pod: keyOf(pod), selector: unmet?.join('=') }, 'pod is not for this node')
  }

  function begin(key: string, pod: Pod): void {
    const { name: podName, namespace = 'default' } = pod.metadata
    const worker = startWorker({
      pod,
      node: facts,
      folder: podFolder(dir, namespace, podName),
      sources: {
        configMap: (source) => client.find<ConfigMap>({ ...CONFIG_MAP, name: source, namespace }),
        secret: (source) => client.find<Secret>({ ...SECRET, name: source, namespace }),
      },
      images: options.images,
      processes,
      server: options.server ?? client.server,
      client,
      clock,
      log: log.child({ pod: key }),
      delays: options.restartDelays ?? { baseMs: 10_000, maxMs: 300_000 },
      retryMs: RETRY_MS,
      onChange: () => controller.enqueue(key),
    })
    workers.set(key, worker)
    log.debug({ pod: key }, 'pod begun')
  }

  async function finish(key: string, pod: Pod, worker: PodWorker | undefined): Promise<void> {
    if (worker !== undefined && !worker.stopped) return void worker.stop(graceOf(pod))
    // Zero: the object only waits for somebody's finalizer.
    if (pod.metadata.deletionGracePeriodSeconds === 0) return
    if (worker !== undefined) await report(pod, worker)
    await deletePod(client, pod)
    log.debug({ pod: key }, 'pod ended')
  }

  async function report(cached: Pod, worker: PodWorker): Promise<void> {
    // The cache may not have our last write yet: what the API server answered to it is newer.
    const pod = newerPod(cached, reported.get(worker))
    const answer = await writePodStatus(client, pod, computePodStatus(pod, worker.snapshot(), NODE_IP, timestamp(clock)))
    if (answer !== undefined) reported.set(worker, answer)
  }

  function refreshReaders(kind: string, { object: { metadata } }: InformerEvent<KubeObject>): void {
    for (const [key, worker] of workers) {
      if (parseKey(key).namespace === metadata.namespace && worker.references.has(`${kind}/${metadata.name}`)) worker.refresh()
    }
  }

  async function stop(): Promise<void> {
    abort.abort()
    await Promise.all([processes.close(), ...running])
    await Promise.all([...workers.values()].map((worker) => worker.stop(0)))
    await factory.stop()
  }

  controller.watch(pods)
  for (const type of [CONFIG_MAP, SECRET]) {
    factory.informer({ type, metadataOnly: true }).subscribe((event) => refreshReaders(type.kind, event))
  }
  try {
    await createNodeObject(client, name, clock)
    factory.start(abort.signal)
    await factory.waitSynced(AbortSignal.timeout(SYNC_LIMIT_MS))
  } catch (error) {
    await stop()
    throw error
  }
  running.push(controller.run(abort.signal), renewLease(client, name, clock, LEASE_INTERVAL_MS, log, abort.signal))
  log.info({ dir }, 'process node ready')
  return {
    signal(namespace, container, signal) {
      const inNamespace = [...workers].filter(([key]) => parseKey(key).namespace === namespace)
      return inNamespace.filter(([, worker]) => worker.signal(container, signal)).length
    },
    async stop() {
      await stop()
      // The cluster may be gone already, and then nobody wants to know.
      await setNodeReady(client, name, false, clock, FAREWELL_MS).catch((error: unknown) =>
        log.debug({ error }, 'node not marked as not ready'),
      )
    },
  }
}

function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}
