// A hub with many BundleDeployments, whose agents only report: time, memory, how fast one label change is acted on, and whether leases are late.
//   npm run bench -- scale [BUNDLES] [CLUSTERS]
// Ends with 1 when a budget is passed: 400 MiB, 2 s for the label change, a lease renewed within its renew deadline.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureControlPlane } from '../scripts/control-plane.ts'
import type { Bundle } from '../src/api/bundle.ts'
import type { BundleDeployment } from '../src/api/bundle-deployment.ts'
import type { Cluster } from '../src/api/cluster.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER } from '../src/api/kinds.ts'
import { startClusters } from '../src/devcluster/clusters.ts'
import { hubObjects, WORKSPACE } from '../src/devcluster/fleet-objects.ts'
import { applyAll, installCrds } from '../src/devcluster/world.ts'
import { silentLogger } from '../src/lib/controller/log.ts'
import { inParallel } from '../src/lib/controller/parallel.ts'
import { createClient } from '../src/lib/kube/client.ts'
import { loadConnection } from '../src/lib/kube/connection.ts'
import { createInformerFactory, type Informer } from '../src/lib/kube/informer.ts'
import type { KubeObject } from '../src/lib/kube/types.ts'
import { countWrites, writesBetween } from '../src/testing/write-count.ts'

const [bundleCount = 100, clusterCount = 100] = process.argv.slice(2).map(Number)
const BUDGET = { rssMiB: 400, labelChangeMs: 2_000, leaseMs: 25_000 }
const LIMIT_MS = 9 * 60_000
const ROOT = join(import.meta.dirname, '..')
const print = (line: string) => process.stdout.write(`${line}\n`)

interface Lease extends KubeObject {
  readonly spec?: { readonly renewTime?: string }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`gave up waiting: ${what}`)
    await pause(20)
  }
}

/** Stands for all agents: reports each version as deployed and ready. */
function answerAll(deployments: Informer<BundleDeployment>, report: (deployment: BundleDeployment) => Promise<unknown>): () => number {
  const waiting = new Map<string, BundleDeployment>()
  let [busy, reported] = [0, 0]
  const pump = () => {
    for (const [key, deployment] of waiting) {
      if (busy >= 16) return
      waiting.delete(key)
      busy++
      void report(deployment)
        .then(() => reported++)
        .catch(() => undefined)
        .finally(() => {
          busy--
          pump()
        })
    }
  }
  deployments.subscribe(({ type, object }) => {
    if (type === 'deleted' || !object.spec.deploymentID || object.status?.appliedDeploymentID === object.spec.deploymentID) return
    waiting.set(`${object.metadata.namespace}/${object.metadata.name}`, object)
    pump()
  })
  return () => reported
}

function memory(pid: number): { nowMiB: number; peakMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (field: string) => Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)
  return { nowMiB: read('VmRSS'), peakMiB: read('VmHWM') }
}

const clusterName = (index: number) => `cluster-${String(index).padStart(3, '0')}`
const started = performance.now()
const since = (start: number) => Math.round(performance.now() - start)
const clusters = await startClusters({ names: ['hub'], bin: (await ensureControlPlane()).bin })
const stop = new AbortController()
try {
  const hub = clusters.clusters.hub!
  const client = createClient(await loadConnection({ kubeconfig: hub.kubeconfig }))
  await installCrds(client, join(ROOT, 'crds'))
  await applyAll(
    client,
    hubObjects({ images: { hub: 'none', agent: 'none' }, hub, version: '0.1.0', config: { manageAgent: false } }).filter(
      ({ kind }) => kind !== 'Deployment',
    ),
  )
  const members: KubeObject[] = Array.from({ length: clusterCount }, (_, index) => ({
    ...CLUSTER,
    metadata: { name: clusterName(index), namespace: WORKSPACE, labels: { group: 'a' } },
    spec: { clientID: clusterName(index) },
  }))
  await applyAll(client, members)

  const child = spawn(process.execPath, [join(ROOT, 'dist', 'fleet-controller')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: clusters.dir,
      KUBECONFIG: hub.kubeconfig,
      FLEET_METRICS_BIND_ADDRESS: '127.0.0.1:0',
      FLEET_HEALTHPROBE_BIND_ADDRESS: '0',
    },
  })
  const pid = child.pid ?? 0
  const factory = createInformerFactory(client, { log: silentLogger })
  const deployments = factory.informer<BundleDeployment>({ type: BUNDLE_DEPLOYMENT })
  const leases = factory.informer<Lease>({
    type: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    namespace: 'cattle-fleet-system',
  })
  const bundles = factory.informer<Bundle>({ type: BUNDLE })
  const fleet = factory.informer<Cluster>({ type: CLUSTER })
  factory.start(stop.signal)
  await factory.waitSynced()
  let [lastRenewal, longestMs] = [0, 0]
  leases.subscribe(({ object }) => {
    if (!object.metadata.name.startsWith('fleet-controller') || !object.spec?.renewTime) return
    const renewal = Date.parse(object.spec.renewTime)
    if (lastRenewal) longestMs = Math.max(longestMs, renewal - lastRenewal)
    lastRenewal = renewal
  })
  const reported = answerAll(deployments, ({ metadata, spec }) =>
    client.patch(
      { ...BUNDLE_DEPLOYMENT, name: metadata.name, namespace: metadata.namespace! },
      { status: { appliedDeploymentID: spec.deploymentID, ready: true, nonModified: true, release: `default/${metadata.name}:1` } },
      { type: 'merge', subresource: 'status' },
    ),
  )
  await until('clusters have namespaces', () => fleet.list().every(({ status }) => status?.namespace))
  print(`${clusterCount} clusters after ${since(started)} ms; fleet-controller ${JSON.stringify(memory(pid))}`)

  const before = await countWrites(hub)
  const rollout = performance.now()
  const wanted = Array.from({ length: bundleCount }, (_, index) => ({
    ...BUNDLE,
    metadata: { name: `app-${index}`, namespace: WORKSPACE },
    spec: {
      resources: [
        {
          name: 'cm.yaml',
          content: `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-${index}}\ndata: {key: '${'x'.repeat(500)}'}\n`,
        },
      ],
      targets: [{ name: 'a', clusterSelector: { matchLabels: { group: 'a' } } }],
    },
  }))
  await inParallel(wanted, 8, (bundle) => client.create(bundle as KubeObject))
  const total = bundleCount * clusterCount
  await until('all deployments exist', () => deployments.list().length === total)
  print(`${total} BundleDeployments after ${since(rollout)} ms`)
  await until('all are reported', () => reported() >= total)
  await until('all bundles are ready', () => bundles.list().every(({ status }) => status?.summary?.ready === clusterCount))
  await until('all clusters are ready', () => fleet.list().every(({ status }) => status?.summary?.ready === bundleCount))
  const usage = memory(pid)
  const writes = writesBetween(before, await countWrites(hub))
  const own = Object.values(writes).reduce((sum, count) => sum + count, 0) - total - bundleCount
  print(
    `all ready after ${since(rollout)} ms; fleet-controller ${JSON.stringify(usage)}; writes per BundleDeployment ${(own / total).toFixed(2)}`,
  )

  await pause(5_000)
  const [member] = members
  const change = performance.now()
  await client.patch(
    { ...CLUSTER, name: member!.metadata.name, namespace: WORKSPACE },
    { metadata: { labels: { group: 'b' } } },
    { type: 'merge' },
  )
  const namespace = fleet.get(member!.metadata.name, WORKSPACE)?.status?.namespace ?? ''
  const left = () => deployments.list(namespace).filter(({ metadata }) => !metadata.deletionTimestamp).length
  await until('the first deployment of the cluster goes', () => left() < bundleCount)
  const first = since(change)
  await until('all deployments of the cluster are gone', () => left() === 0)
  print(`label change of one cluster: first deployment removed after ${first} ms, all ${bundleCount} after ${since(change)} ms`)
  print(`longest time between two renewals of the lease: ${longestMs} ms; peak ${memory(pid).peakMiB} MiB`)
  const misses = [
    memory(pid).peakMiB > BUDGET.rssMiB && `more than ${BUDGET.rssMiB} MiB`,
    first > BUDGET.labelChangeMs && `label change later than ${BUDGET.labelChangeMs} ms`,
    longestMs > BUDGET.leaseMs && `a lease renewal later than ${BUDGET.leaseMs} ms`,
  ].filter(Boolean)
  if (misses.length > 0) {
    print(`over budget: ${misses.join(', ')}`)
    process.exitCode = 1
  }
  child.kill('SIGKILL')
  await client.close()
} finally {
  stop.abort()
  await clusters.stop()
}
process.exit()
