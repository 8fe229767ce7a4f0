// Many GitRepos on one repository: what a commit costs that touches the path of one of them, with every GitRepo reading it and with only that one.
//   npm run bench -- monorepo [GITREPOS] [COMMITS]
// The GitRepo controller, the publisher and their caches run in a process of their own; the API server and the git server are others.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureControlPlane } from '../scripts/control-plane.ts'
import type { GitRepo } from '../src/api/git-repo.ts'
import { FLEET_API_VERSION, GIT_REPO } from '../src/api/kinds.ts'
import { SHARD_REF_LABEL } from '../src/api/labels.ts'
import { createPublisher, publishedBundles } from '../src/bundle/publish.ts'
import { startClusters } from '../src/devcluster/clusters.ts'
import { installCrds } from '../src/devcluster/world.ts'
import { systemClock } from '../src/lib/controller/clock.ts'
import { createEventRecorder } from '../src/lib/controller/events.ts'
import { silentLogger } from '../src/lib/controller/log.ts'
import { createManager } from '../src/lib/controller/manager.ts'
import { inParallel } from '../src/lib/controller/parallel.ts'
import { createGitWorkerBackend } from '../src/lib/git/worker-backend.ts'
import { createClient, type KubeClient } from '../src/lib/kube/client.ts'
import { loadConnection } from '../src/lib/kube/connection.ts'
import { createInformerFactory } from '../src/lib/kube/informer.ts'
import { createGitRepoController } from '../src/source/git-repo-controller.ts'
import { type GitServer, startGitServer } from '../src/testing/git-server.ts'

const FILES_EACH = 20
const POLL = '5s'
const LIMIT_MS = 5 * 60_000
const MODES = ['read by all', 'read where needed'] as const
const [first = '', ...rest] = process.argv.slice(2)

if (first === 'hub') await runHub(rest)
else await measure()

interface Sample {
  readonly ms: number
  readonly cpuMs: number
  /** Of this the main thread, which reads and writes; the rest is git's. */
  readonly mainMs: number
  readonly publishes: number
}

async function measure(): Promise<void> {
  const [count = 100, commits = 5] = [first, ...rest].filter(Boolean).map(Number)
  const server = await startGitServer()
  const clusters = await startClusters({ names: ['hub'], bin: (await ensureControlPlane()).bin })
  try {
    const { kubeconfig } = clusters.clusters.hub ?? { kubeconfig: '' }
    const client = createClient(await loadConnection({ kubeconfig }))
    await installCrds(client, join(import.meta.dirname, '..', 'crds'))
    for (const [at, mode] of MODES.entries()) {
      const { start, samples } = await measureMode({ client, server, kubeconfig, count, commits, shard: `mode-${at}`, mode })
      const line = (what: string, { ms, cpuMs, mainMs, publishes }: Record<keyof Sample, string>): string =>
        `${mode}: ${what}: ${publishes} readings, ${ms} ms, ${cpuMs} ms CPU, of which the main thread ${mainMs}\n`
      process.stdout.write(line(`${count} new GitRepos`, spreads([start])))
      process.stdout.write(line('a commit to the path of one', spreads(samples)))
    }
    await client.close()
  } finally {
    await clusters.stop()
    await server.stop()
  }
}

interface Run {
  readonly client: KubeClient
  readonly server: GitServer
  readonly kubeconfig: string
  readonly count: number
  readonly commits: number
  readonly shard: string
  readonly mode: (typeof MODES)[number]
}

async function measureMode({
  client,
  server,
  kubeconfig,
  count,
  commits,
  shard,
  mode,
}: Run): Promise<{ start: Sample; samples: Sample[] }> {
  const repo = await server.repository(shard, monorepo(count))
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: shard } })
  await inParallel([...Array(count).keys()], 16, (at) =>
    client.create<GitRepo>({
      apiVersion: FLEET_API_VERSION,
      kind: 'GitRepo',
      metadata: { name: `app-${at}`, namespace: shard, labels: { [SHARD_REF_LABEL]: shard } },
      spec: { repo: repo.url, paths: [`apps/app-${at}`], pollingInterval: POLL },
    }),
  )
  const hub = spawn(process.execPath, [import.meta.filename, 'hub', kubeconfig, shard, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ask = questions(hub)
  try {
    const start = await settled(client, shard, count, await repo.head(), ask)
    const samples: Sample[] = []
    for (let at = 0; at < commits; at++) {
      await pause(1_000)
      await ask()
      const commit = await repo.commit({ [`apps/app-${at}/file-0.yaml`]: configMap(at, 0, `changed ${at}`) })
      samples.push(await settled(client, shard, count, commit, ask))
    }
    return { start, samples }
  } finally {
    hub.kill('SIGTERM')
    await new Promise((resolve) => hub.once('close', resolve))
  }
}

/** Each line sent is answered with what happened since the one before. */
function questions(hub: ReturnType<typeof spawn>): () => Promise<Sample> {
  return async () => {
    const answer = new Promise<Sample>((resolve, reject) => {
      hub.stdout?.once('data', (line: Buffer) => resolve(JSON.parse(line.toString())))
      hub.once('close', () => reject(new Error('the hub ended')))
    })
    hub.stdin?.write('?\n')
    return answer
  }
}

async function settled(client: KubeClient, namespace: string, count: number, commit: string, ask: () => Promise<Sample>): Promise<Sample> {
  const end = Date.now() + LIMIT_MS
  for (;;) {
    const { items } = await client.list<GitRepo>(GIT_REPO, { namespace })
    if (items.filter(({ status }) => status?.commit === commit && status.gitJobStatus === 'Current').length === count) return ask()
    if (Date.now() > end) throw new Error('gave up waiting for the GitRepos')
    await pause(200)
  }
}

/** In the child: the controller, and what it takes, from the first byte of a commit to the last status. */
async function runHub([kubeconfig = '', shard = '', mode = '']: readonly string[]): Promise<void> {
  const client = createClient(await loadConnection({ kubeconfig }))
  const informers = createInformerFactory(client, { log: silentLogger })
  const tempDir = await mkdtemp(join(tmpdir(), 'bench-monorepo-'))
  const backend = createGitWorkerBackend()
  const real = createPublisher({
    client,
    bundles: informers.informer(publishedBundles),
    valuesSecrets: { get: () => undefined },
    log: silentLogger,
  })
  const { advance: _advance, ...always } = real
  let [publishes, startMs, endMs, before] = [0, 0, 0, cpuNow()]
  const publisher = {
    ...(mode === MODES[0] ? always : real),
    publish(...args: Parameters<typeof real.publish>) {
      publishes++
      return real.publish(...args)
    },
  }
  const watched: KubeClient = {
    ...client,
    async patch(...args) {
      const answer = await client.patch<never>(...args)
      endMs = performance.now()
      return answer
    },
  }
  const controller = createGitRepoController({
    client: watched,
    informers,
    backend: {
      ...backend,
      fetch(...args) {
        startMs = performance.now()
        return backend.fetch(...args)
      },
    },
    publisher,
    events: createEventRecorder(client, { component: 'fleet-gitops', clock: systemClock, log: silentLogger }),
    clock: systemClock,
    log: silentLogger,
    random: Math.random,
    tempDir,
    pid: process.pid,
    systemNamespace: 'cattle-fleet-system',
    workers: 10,
    shard,
  })
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  process.stdin.on('data', () => {
    const now = cpuNow()
    const sample: Sample = { ms: endMs - startMs, cpuMs: now.all - before.all, mainMs: now.main - before.main, publishes }
    process.stdout.write(JSON.stringify(sample))
    ;[publishes, before] = [0, now]
  })
  await createManager({ informers: [informers], controllers: [controller], log: silentLogger }).run(stop.signal)
  process.stdin.destroy()
  await backend.close()
  await client.close()
  await rm(tempDir, { recursive: true, force: true })
}

/** Apps with a fleet.yaml and manifests, and values that all of them share. */
function monorepo(count: number): Record<string, string> {
  const files: Record<string, string> = { 'base/note.md': 'shared by nobody' }
  for (let app = 0; app < count; app++) {
    files[`apps/app-${app}/fleet.yaml`] = `namespace: app-${app}\n`
    for (let file = 0; file < FILES_EACH; file++) files[`apps/app-${app}/file-${file}.yaml`] = configMap(app, file, 'first')
  }
  return files
}

function configMap(app: number, file: number, text: string): string {
  const data = Array.from({ length: 30 }, (_, at) => `  key-${at}: "value ${at} of file ${file}, ${Math.sin(app + file * at)}"`).join('\n')
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-${app}-${file}\ndata:\n  text: ${text}\n${data}\n`
}

function cpuNow(): { all: number; main: number } {
  const [all, main] = [process.cpuUsage(), process.threadCpuUsage()]
  return { all: (all.user + all.system) / 1_000, main: (main.user + main.system) / 1_000 }
}

function spreads(samples: readonly Sample[]): Record<keyof Sample, string> {
  const of = (key: keyof Sample): string => spread(samples.map((sample) => sample[key]))
  return { ms: of('ms'), cpuMs: of('cpuMs'), mainMs: of('mainMs'), publishes: of('publishes') }
}

/** The median, and in brackets the lowest and the highest. */
function spread(values: readonly number[]): string {
  const sorted = values.map(Math.round).sort((left, right) => left - right)
  return `${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]}–${sorted.at(-1)})`
}
