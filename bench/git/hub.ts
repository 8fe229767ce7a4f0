// A whole hub that follows many GitRepos on one git server: what it asks of that server and of the API server, and what it needs itself.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureControlPlane } from '../../scripts/control-plane.ts'
import type { GitRepo } from '../../src/api/git-repo.ts'
import { FLEET_API_VERSION, GIT_REPO } from '../../src/api/kinds.ts'
import { startClusters } from '../../src/devcluster/clusters.ts'
import { hubObjects, WORKSPACE } from '../../src/devcluster/fleet-objects.ts'
import { applyAll, installCrds } from '../../src/devcluster/world.ts'
import { inParallel } from '../../src/lib/controller/parallel.ts'
import { createClient, type KubeClient } from '../../src/lib/kube/client.ts'
import { loadConnection } from '../../src/lib/kube/connection.ts'
import type { KubeObject } from '../../src/lib/kube/types.ts'
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { type GitServer, type ServedRepository, startGitServer } from '../../src/testing/git-server.ts'

export interface HubRun {
  readonly gitRepos: number
  /** As many again fail: a half with an error, a half with silence. */
  readonly failing: number
  /** How long each scene is watched. */
  readonly seconds: number
  readonly report: (line: string) => void
}

interface Hub {
  readonly pid: number
  readonly client: KubeClient
  readonly proxy: FaultProxy
  readonly git: GitServer
}

interface Sample {
  readonly atMs: number
  readonly cpuMs: number
  readonly gitRequests: number
}

const ROOT = join(import.meta.dirname, '..', '..')
const INTERVAL_S = 15
/** Until the waves of the beginning are over. */
const SETTLE_MS = 20_000
const WAIT_MS = 10 * 60_000
const CLOCK_TICK_MS = 10
const REFS = /\/info\/refs/

/** Scene by scene: repositories of their own, one repository for all, and some that fail. */
export async function measureHub(run: HubRun): Promise<void> {
  const git = await startGitServer()
  const clusters = await startClusters({ names: ['hub'], bin: (await ensureControlPlane()).bin })
  let child: ChildProcess | undefined
  let proxy: FaultProxy | undefined
  try {
    const hub = clusters.clusters.hub!
    const client = createClient(await loadConnection({ kubeconfig: hub.kubeconfig }))
    await installCrds(client, join(ROOT, 'crds'))
    const installation = { images: { hub: 'none', agent: 'none' }, hub, version: '0.1.0', config: { manageAgent: false } }
    await applyAll(
      client,
      hubObjects(installation).filter(({ kind }) => kind !== 'Deployment'),
    )
    proxy = await startFaultProxy({ target: hub })
    const kubeconfig = join(clusters.dir, 'counted.kubeconfig')
    await writeFile(kubeconfig, proxy.kubeconfig)
    child = startController(kubeconfig, clusters.dir)
    const scene: Hub = { pid: child.pid ?? 0, client, proxy, git }
    await quietScene(scene, run, `${run.gitRepos} GitRepos, each with a repository of its own`, async () =>
      Promise.all(numbers(run.gitRepos).map(async (at) => (await repository(git, `own-${at}`, at)).url)),
    )
    await quietScene(scene, run, `${run.gitRepos} GitRepos of one repository`, async () => {
      const folders = Object.fromEntries(numbers(run.gitRepos).map((at) => [`app-${at}/cm.yaml`, configMap(at)]))
      const { url } = await git.repository('monorepo', folders)
      return numbers(run.gitRepos).map(() => url)
    })
    await failingScene(scene, run)
    await client.close()
  } finally {
    child?.kill('SIGKILL')
    await proxy?.stop()
    await clusters.stop()
    await git.stop()
  }
}

function startController(kubeconfig: string, home: string): ChildProcess {
  return spawn(process.execPath, [join(ROOT, 'dist', 'fleet-controller')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      KUBECONFIG: kubeconfig,
      FLEET_METRICS_BIND_ADDRESS: '127.0.0.1:0',
      FLEET_HEALTHPROBE_BIND_ADDRESS: '0',
    },
  })
}

async function quietScene(hub: Hub, { seconds, report }: HubRun, what: string, prepare: () => Promise<readonly string[]>): Promise<void> {
  const urls = await prepare()
  const started = performance.now()
  await follow(hub, 'quiet', urls)
  await allRead(hub, 'quiet', urls.length)
  const readMs = performance.now() - started
  await pause(SETTLE_MS)
  hub.proxy.forget()
  const before = sample(hub)
  await pause(seconds * 1_000)
  const after = sample(hub)
  const perMinute = (value: number): string => ((value * 60_000) / (after.atMs - before.atMs)).toFixed(0)
  const requests = hub.proxy.seen.filter(({ path }) => !path.includes('/leases/'))
  report(
    `${what}, asked every ${INTERVAL_S} s: all read after ${(readMs / 1_000).toFixed(1)} s; a minute: ` +
      `${perMinute(after.gitRequests - before.gitRequests)} requests to the git server, ` +
      `${perMinute(requests.length)} to the API server (${perMinute(requests.filter(({ method }) => method !== 'GET').length)} writes), ` +
      `${perMinute(after.cpuMs - before.cpuMs)} ms CPU; ${memory(hub.pid)}`,
  )
  await removeAll(hub)
}

async function failingScene(hub: Hub, { gitRepos, failing, seconds, report }: HubRun): Promise<void> {
  const good = await Promise.all(numbers(gitRepos).map((at) => repository(hub.git, `good-${at}`, at)))
  const bad = await Promise.all(numbers(failing).map((at) => repository(hub.git, `bad-${at}`, at)))
  bad.forEach((one, at) => {
    one.fault(at % 2 === 0 ? { status: 503 } : { hang: true })
  })
  await follow(
    hub,
    'bad',
    bad.map(({ url }) => url),
  )
  const began = Date.now()
  await follow(
    hub,
    'good',
    good.map(({ url }) => url),
  )
  await allRead(hub, 'good', gitRepos)
  const minutes = Math.max(2, Math.ceil((seconds * 4) / 60))
  report(
    `${failing} failing GitRepos beside ${gitRepos} good ones: the good ones all read after ${((Date.now() - began) / 1_000).toFixed(1)} s`,
  )
  const before = sample(hub)
  await pause(Math.max(0, began + minutes * 60_000 - Date.now()))
  const after = sample(hub)
  const inMinute = (at: number): number =>
    bad.flatMap((one) => one.requests()).filter(({ atMs }) => Math.floor((atMs - began) / 60_000) === at).length
  const gaps = good.flatMap((one) =>
    gapsOf(
      one
        .requests()
        .filter(({ path }) => REFS.test(path))
        .map(({ atMs }) => atMs),
    ),
  )
  gaps.sort((left, right) => left - right)
  const shown = (at: number): string => ((gaps[Math.floor((gaps.length - 1) * at)] ?? 0) / 1_000).toFixed(1)
  report(
    `  requests for the failing ones, minute by minute: ${numbers(minutes).map(inMinute).join(', ')}; between two polls of a good one: ` +
      `${shown(0.5)} s in the middle, ${shown(0.99)} s for 99 %, ${shown(1)} s at most; ` +
      `${(((after.cpuMs - before.cpuMs) * 60_000) / (after.atMs - before.atMs)).toFixed(0)} ms CPU a minute, ${memory(hub.pid)}`,
  )
  await removeAll(hub)
}

/** Between the beginnings of two polls; requests of the same poll come within a second. */
function gapsOf(times: readonly number[]): number[] {
  return times.flatMap((at, index) => (index > 0 ? [at - (times[index - 1] ?? at)] : [])).filter((gap) => gap > 1_000)
}

function repository(git: GitServer, name: string, at: number): Promise<ServedRepository> {
  return git.repository(name, { [`app-${at}/cm.yaml`]: configMap(at) })
}

/** They share nothing but the workspace, and reach no cluster: none is there. */
async function follow({ client }: Hub, prefix: string, urls: readonly string[]): Promise<void> {
  const gitRepos = urls.map((repo, at) => ({
    apiVersion: FLEET_API_VERSION,
    kind: 'GitRepo',
    metadata: { name: `${prefix}-${at}`, namespace: WORKSPACE },
    spec: { repo, branch: 'master', paths: [`app-${at}`], pollingInterval: `${INTERVAL_S}s`, targets: [{ clusterSelector: {} }] },
  }))
  await inParallel(gitRepos, 16, (gitRepo) => client.create(gitRepo as KubeObject))
}

/** Waits until all that have this prefix in their names have been read. */
function allRead({ client }: Hub, prefix: string, count: number): Promise<void> {
  return until(async () => {
    const { items } = await client.list<GitRepo>(GIT_REPO, { namespace: WORKSPACE })
    const wanted = items.filter(({ metadata }) => metadata.name.startsWith(`${prefix}-`))
    const missing = wanted.filter(({ status }) => !status?.commit || status.gitJobStatus !== 'Current')
    const [first] = missing
    return wanted.length < count || first ? `${missing.length} GitRepos are not read, such as ${JSON.stringify(first?.status)}` : undefined
  })
}

async function removeAll({ client }: Hub): Promise<void> {
  const { items } = await client.list<GitRepo>(GIT_REPO, { namespace: WORKSPACE })
  await inParallel(items, 16, ({ metadata: { name } }) => client.delete({ ...GIT_REPO, name, namespace: WORKSPACE }))
  await until(async () => {
    const { length } = (await client.list(GIT_REPO, { namespace: WORKSPACE })).items
    return length > 0 ? `${length} GitRepos are not gone` : undefined
  })
}

/** `problem` says what is still missing. */
async function until(problem: () => Promise<string | undefined>): Promise<void> {
  const end = Date.now() + WAIT_MS
  for (let found = await problem(); found !== undefined; found = await problem()) {
    if (Date.now() > end) throw new Error(`gave up waiting: ${found}`)
    await pause(500)
  }
}

function sample({ pid, git }: Hub): Sample {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number)
  return { atMs: performance.now(), cpuMs: (user + system) * CLOCK_TICK_MS, gitRequests: git.seen.length }
}

function memory(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (field: string): number => Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024)
  return `${read('VmRSS')} MiB (peak ${read('VmHWM')})`
}

function configMap(at: number): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-${at}}\ndata: {key: value}\n`
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}
