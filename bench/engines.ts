// The two release engines side by side: 50 releases of 10 ConfigMaps each are installed, then upgraded, on a control plane of its own.
//   node bench/engines.ts [ROUNDS] [RELEASES]
// Processor time includes the helm processes, and leaves out the API server, which is measured apart.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureControlPlane } from '../scripts/lib/control-plane/ensure.ts'
import type { DeployRequest, ReleaseAccess, ReleaseEngine } from '../src/agent/release/engine.ts'
import { createHelmEngine } from '../src/agent/release/helm-engine.ts'
import { createNativeEngine } from '../src/agent/release/native-engine.ts'
import { createReleaseStore } from '../src/agent/release/store.ts'
import { startClusters } from '../src/devcluster/clusters.ts'
import { systemClock } from '../src/lib/controller/clock.ts'
import { inParallel } from '../src/lib/controller/parallel.ts'
import { createHelm } from '../src/lib/helm/helm.ts'
import { createClient } from '../src/lib/kube/client.ts'
import { loadConnection } from '../src/lib/kube/connection.ts'
import type { KubeObject } from '../src/lib/kube/types.ts'

const rounds = Number(process.argv[2] ?? 3)
const releases = Number(process.argv[3] ?? 50)
const OBJECTS = 10
/** Deployments that an agent works on at a time, and helm processes. */
const WORKERS = 50
const PROCESSES = 2
const TICKS_PER_SECOND = 100

interface Sample {
  readonly perSecond: number
  /** Processor milliseconds of one release: ours with our children, and of the API server. */
  readonly ownMs: number
  readonly serverMs: number
}

/** No cache: the engines ask the cluster for what they need to know. */
const noCache = { synced: true, get: () => undefined, list: () => [], by: () => [], subscribe: () => () => {}, waitSynced: async () => {} }

function request(namespace: string, version: number, current: DeployRequest['current']): DeployRequest {
  const objects = Array.from({ length: OBJECTS }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `settings-${index}`, labels: { 'objectset.rio.cattle.io/hash': 'bench' } },
    data: { version: String(version), text: 'x'.repeat(200) },
  })) as KubeObject[]
  return {
    release: { namespace, name: 'bench' },
    rendered: {
      style: {},
      chart: { apiVersion: 'v2', name: 'bench', version: `0.0.${version}` },
      manifests: objects,
      hooks: [],
      definitions: '',
    },
    owner: { bundleId: namespace, agentNamespace: 'bench', serviceAccount: '', keepResources: false },
    commit: undefined,
    values: {},
    deployment: `v${version}`,
    current,
    settings: {
      createNamespace: true,
      takeOwnership: false,
      force: false,
      atomic: false,
      timeoutSeconds: 0,
      waitForJobs: false,
      maxHistory: 2,
      skipSchemaValidation: false,
    },
  }
}

/** Processor time in milliseconds; that of children counts from their end. */
async function cpuMs(pid: number | 'self', withChildren: boolean): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = (withChildren ? [11, 12, 13, 14] : [11, 12]).reduce((sum, index) => sum + Number(fields[index]), 0)
  return (ticks * 1_000) / TICKS_PER_SECOND
}

async function measure(
  engine: ReleaseEngine,
  access: ReleaseAccess,
  names: readonly string[],
  version: number,
  server: number,
): Promise<Sample> {
  const before = await Promise.all([cpuMs('self', true), cpuMs(server, false)])
  const start = performance.now()
  await inParallel(names, WORKERS, async (namespace) => {
    const current = await engine.status({ namespace, name: 'bench' })
    await engine.deploy(request(namespace, version, current), access)
  })
  const seconds = (performance.now() - start) / 1_000
  const [own = 0, ofServer = 0] = await Promise.all([cpuMs('self', true), cpuMs(server, false)])
  return { perSecond: names.length / seconds, ownMs: (own - before[0]) / names.length, serverMs: (ofServer - before[1]) / names.length }
}

function text(samples: readonly Sample[], field: keyof Sample): string {
  const values = samples.map((sample) => sample[field]).sort((a, b) => a - b)
  const show = (value = Number.NaN): string => value.toFixed(value < 10 ? 1 : 0)
  const middle = values.length / 2
  const median = ((values[Math.ceil(middle) - 1] ?? Number.NaN) + (values[Math.floor(middle)] ?? Number.NaN)) / 2
  return `${show(median)} (${show(values[0])}–${show(values.at(-1))})`
}

const { bin } = await ensureControlPlane()
const clusters = await startClusters({ names: ['bench'], bin })
const workDir = await mkdtemp(join(tmpdir(), 'bench-engines-'))
try {
  const connection = await loadConnection({ kubeconfig: clusters.clusters.bench!.kubeconfig })
  const client = createClient(connection)
  const store = createReleaseStore(client, noCache)
  const helm = createHelm({ binary: join(bin, 'helm'), home: join(workDir, 'home'), env: {}, concurrency: PROCESSES })
  const helmEngine = createHelmEngine({ helm, store, client, workDir })
  const native = createNativeEngine({ store, helm: helmEngine, choice: 'auto', clock: systemClock })
  const access = { client, kubeconfig: () => connection.toKubeconfig() }
  const server = await serverPid(clusters.clusters.bench!.url)
  const samples = new Map<string, Sample[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const [name, engine] of Object.entries({ native, helm: helmEngine })) {
      const names = Array.from({ length: releases }, (_, index) => `bench-${name}-${round}-${index}`)
      for (const [index, what] of ['install', 'upgrade'].entries()) {
        const sample = await measure(engine, access, names, index + 1, server)
        if (round > 0) samples.set(`${name} ${what}`, [...(samples.get(`${name} ${what}`) ?? []), sample]) // the first round warms up
      }
    }
  }
  for (const [name, list] of samples)
    process.stdout.write(
      `${name}: ${text(list, 'perSecond')} releases/s, ${text(list, 'ownMs')} ms processor time each, API server ${text(list, 'serverMs')} ms\n`,
    )
  await client.close()
} finally {
  await clusters.stop()
  await rm(workDir, { recursive: true, force: true })
}

/** The process that listens on the port of a URL, by its arguments. */
async function serverPid(url: string): Promise<number> {
  const port = new URL(url).port
  for (const entry of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const args = (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (args[args.indexOf('--secure-port') + 1] === port) return Number(entry)
  }
  throw new Error(`no API server on port ${port}`)
}
