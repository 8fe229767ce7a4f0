// SIGTERM in the middle of work: a program ends in order within the time that Kubernetes gives it, leaves nothing half done, and what comes after does nothing twice.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, GIT_REPO } from '../../api/kinds.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { killGroup } from '../../devcluster/host-process.ts'
import { type AgentScene, useAgent } from '../agent-scene.ts'
import type { Call, Verdict } from '../call-proxy.ts'
import { uniqueNamespace } from '../cluster.ts'
import { eventually } from '../eventually.ts'
import { configMap } from '../fleet.ts'
import { type GitServer, startGitServer } from '../git-server.ts'
import { CONFIG_MAP, type ConfigMap } from '../kube.ts'
import { processesWith } from '../processes-of.ts'
import { historyOf } from '../release-cells.ts'
import { type Replica, useReplicas } from '../replicas.ts'

/** Kubernetes kills after 30 s unless it is told otherwise; ours are asked for less. */
const LIMIT_MS = 10_000
/** How long what is under way may go on. */
const GRACE_MS = 4_000
const LOAD = 30
const SERVICE_ACCOUNT = { apiVersion: 'v1', kind: 'ServiceAccount' }

interface RunningAgent {
  /** SIGTERM; resolves when it has ended, to how it did and the helm processes that are still there. */
  stop(): Promise<{ code: number | null; tookMs: number; left: number[] }>
}

/** Nobody clears up behind it, so that what it leaves can be seen. */
function startAgent(scene: AgentScene, started: number[]): RunningAgent {
  const { command, ...options } = scene.command
  const log = openSync(join(scene.dir, 'agent.log'), 'a')
  const agent = spawn(command[0] ?? '', command.slice(1), { ...options, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  if (agent.pid) started.push(agent.pid)
  const exited = once(agent, 'exit') as Promise<[number | null]>
  return {
    async stop() {
      const start = Date.now()
      agent.kill('SIGTERM')
      const [code] = await exited
      return { code, tookMs: Date.now() - start, left: processesWith(`${scene.dir}/fleet-agent-`) }
    },
  }
}

/** What stands in the namespace of a deployment. */
interface Found {
  readonly history: readonly string[]
  readonly isReported: boolean
  /** name and version of each of its objects */
  readonly objects: Readonly<Record<string, string>>
}

const OBJECTS = ['ConfigMap a', 'ConfigMap b', 'ServiceAccount worker']

describe.skipIf(process.platform !== 'linux').each(['native', 'helm'])('an agent with the engine %s', (engine) => {
  const started: number[] = []
  let silent = false
  const judge = (_call: Call): Verdict => (silent ? 'hold' : 'pass')
  const scene = useAgent({ env: { FLEET_RELEASE_ENGINE: engine }, judge })
  afterAll(() => {
    for (const pid of started) killGroup(pid, 'SIGKILL')
  })

  async function deployAll(names: readonly string[], text: string): Promise<void> {
    const map = (name: string) => ({ ...CONFIG_MAP, metadata: { name }, data: { text } })
    const files = { 'a.json': map('a'), 'b.json': map('b'), 'c.json': { ...SERVICE_ACCOUNT, metadata: { name: 'worker' } } }
    await Promise.all(names.map((name) => scene.deploy(name, { files })))
  }

  async function applied(names: readonly string[]): Promise<string[]> {
    const { items } = await scene.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { namespace: scene.clusterNamespace })
    return items
      .filter(({ metadata, spec, status }) => names.includes(metadata.name) && status?.appliedDeploymentID === spec.deploymentID)
      .map(({ metadata }) => metadata.name)
  }

  async function find(name: string): Promise<Found> {
    const objects: Record<string, string> = {}
    for (const type of [CONFIG_MAP, SERVICE_ACCOUNT])
      for (const { kind, metadata } of (await scene.down.list<ConfigMap>(type, { namespace: name })).items)
        if (OBJECTS.includes(`${kind} ${metadata.name}`)) objects[`${kind} ${metadata.name}`] = metadata.resourceVersion ?? ''
    return { history: await historyOf(scene, name), isReported: (await applied([name])).length > 0, objects }
  }

  /** Stops an agent when some of these are applied and others are not, and looks at what it leaves. */
  async function stopAmid(agent: RunningAgent, names: readonly string[], revision: number): Promise<Map<string, Found>> {
    await eventually(async () => expect((await applied(names)).length).toBeGreaterThanOrEqual(3), { what: 'some are applied', everyMs: 20 })
    const { code, tookMs, left } = await agent.stop()
    const found = new Map<string, Found>()
    for (const name of names) found.set(name, await find(name))
    const isDone = ({ history }: Found): boolean => history.at(-1)?.startsWith(`${revision} deployed`) ?? false
    const done = [...found.values()].filter(isDone)
    const cut = [...found.values()].filter(({ history }) => /^\d+ failed/.test(history.at(-1) ?? ''))
    process.stdout.write(
      `${engine}: ended with ${code} after ${tookMs} ms, ${done.length} of ${names.length} applied, ${cut.length} cut short\n`,
    )
    expect([code, left], scene.log().split('\n').slice(-30).join('\n')).toEqual([0, []])
    expect(tookMs).toBeLessThan(LIMIT_MS)
    // what had begun was let come to its end, and what had not was not begun
    if (tookMs < GRACE_MS) expect(cut).toEqual([])
    for (const [name, { history }] of found)
      expect(
        history.filter((line) => /^\d+ (pending|uninstalling)/.test(line)),
        name,
      ).toEqual([])
    for (const { isReported, objects } of done) {
      if (tookMs < GRACE_MS) expect(isReported).toBe(true)
      expect(Object.keys(objects).sort()).toEqual(OBJECTS)
    }
    return found
  }

  /** Waits until all are as they should be, and nothing was done to those that were done. */
  async function finished(names: readonly string[], before: ReadonlyMap<string, Found>, revision: number): Promise<void> {
    await Promise.all(names.map((name) => scene.ready(name, 120_000)))
    for (const name of names) {
      const { history, objects } = await find(name)
      const earlier = before.get(name)
      if (earlier?.history.at(-1)?.startsWith(`${revision} deployed`))
        expect({ history, objects }).toEqual({ history: earlier.history, objects: earlier.objects })
      expect(Object.keys(objects).sort(), name).toEqual(OBJECTS)
      expect(history.filter((line) => /^\d+ deployed/.test(line)).length, history.join()).toBe(1)
    }
  }

  let agent: RunningAgent
  const names = Array.from({ length: LOAD }, (_, index) => uniqueNamespace(`load-${index}`))

  test('that is asked to stop while it installs ends in order, and the next one goes on where it was', async () => {
    agent = startAgent(scene, started)
    await deployAll([scene.clusterNamespace], 'first')
    await scene.ready(scene.clusterNamespace)
    await deployAll(names, 'first')
    const before = await stopAmid(agent, names, 1)
    agent = startAgent(scene, started)
    await finished(names, before, 1)
  })

  test('that is asked to stop while it upgrades, the same', async () => {
    const histories = await Promise.all(names.map((name) => historyOf(scene, name)))
    const installed = names.filter((_, index) => histories[index]?.length === 1)
    await deployAll(installed, 'second')
    const before = await stopAmid(agent, installed, 2)
    agent = startAgent(scene, started)
    await finished(installed, before, 2)
  })

  test('that is asked to stop while it waits for objects that never become ready does not wait for them', async () => {
    const name = uniqueNamespace('waiting')
    const template = { metadata: { labels: { app: 'never' } }, spec: { containers: [{ name: 'never', image: 'never' }] } }
    const spec = { replicas: 1, selector: { matchLabels: { app: 'never' } }, template }
    const files = { 'a.json': { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'never' }, spec } }
    await scene.deploy(name, { files, options: { helm: { timeoutSeconds: 300 } } })
    await eventually(async () => expect((await historyOf(scene, name)).at(-1)).toMatch(/^1 pending-install/), { what: 'it waits' })
    const { code, tookMs, left } = await agent.stop()
    process.stdout.write(`${engine}: ended with ${code} after ${tookMs} ms while it waited\n`)
    expect([code, left]).toEqual([0, []])
    expect(tookMs).toBeLessThan(LIMIT_MS)
    expect((await historyOf(scene, name)).at(-1)).toMatch(/^1 failed/)
    await scene.remove(name)
    agent = startAgent(scene, started)
    await eventually(async () => expect(await historyOf(scene, name)).toEqual([]), { what: 'the release is removed' })
  })

  test('that is asked to stop while nobody answers it ends all the same', async () => {
    await deployAll(names, 'third')
    await eventually(async () => expect((await applied(names)).length).toBeGreaterThanOrEqual(3), { everyMs: 20 })
    silent = true
    const { code, tookMs, left } = await agent.stop()
    silent = false
    process.stdout.write(`${engine}: ended with ${code} after ${tookMs} ms while nobody answered\n`)
    expect([code, left]).toEqual([0, []])
    expect(tookMs).toBeLessThan(LIMIT_MS)
    agent = startAgent(scene, started)
    await Promise.all(names.map((name) => scene.ready(name, 120_000)))
    expect((await agent.stop()).code).toBe(0)
  })
})

describe('a hub', () => {
  const BUNDLES = 100
  /** Requests that a hub has under way at most. */
  const IN_FLIGHT = 16
  const scene = useReplicas(['north', 'south', 'west'])
  let git: GitServer
  beforeAll(async () => {
    git = await startGitServer()
  })
  afterAll(() => git?.stop())

  const bundles = async (): Promise<Bundle[]> => (await scene.hub.list<Bundle>(BUNDLE, { namespace: WORKSPACE })).items
  const deployments = async (): Promise<BundleDeployment[]> => (await scene.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT)).items
  const count = (replicas: readonly Replica[], method: string, pattern: RegExp): number =>
    replicas.flatMap(({ writes }) => writes).filter((write) => write.method === method && pattern.test(write.path)).length

  async function stop(replica: Replica, what: string): Promise<void> {
    const start = Date.now()
    replica.process.kill('SIGTERM')
    const { code } = await replica.process.exited
    const tookMs = Date.now() - start
    const there = [(await bundles()).length, (await deployments()).length]
    process.stdout.write(
      `hub asked to stop ${what}: ended with ${code} after ${tookMs} ms, ${there[0]} bundles and ${there[1]} deployments there\n`,
    )
    expect(code, replica.log().split('\n').slice(-20).join('\n')).toBe(0)
    expect(tookMs).toBeLessThan(LIMIT_MS)
    expect(await scene.holder()).toBe('')
  }

  test(`that is asked to stop while it spreads ${BUNDLES} bundles ends in order, and nothing is written twice`, async () => {
    const files: Record<string, string> = {}
    for (let index = 0; index < BUNDLES; index++) {
      files[`b${index}/one.yaml`] = configMap('one', { text: String(index) })
      files[`b${index}/fleet.yaml`] = `defaultNamespace: n${index}\nhelm: {values: {index: ${index}}}\n`
    }
    const repository = await git.repository('load', files)
    const replicas = [await scene.start('first')]
    await scene.leads(replicas[0] as Replica)
    await scene.clusterNamespaces()
    const spec = {
      repo: repository.url,
      branch: 'master',
      pollingInterval: '1h',
      paths: ['*'],
      targets: [{ name: 'all', clusterSelector: {} }],
    }
    await scene.hub.create({ ...GIT_REPO, metadata: { name: 'load', namespace: WORKSPACE }, spec } as GitRepo)

    await eventually(async () => expect((await bundles()).length).toBeGreaterThan(5), { what: 'some bundles', everyMs: 20 })
    await stop(replicas[0] as Replica, 'while it writes bundles')
    replicas.push(await scene.start('second'))
    await eventually(async () => expect((await deployments()).length).toBeGreaterThan(50), { what: 'some deployments', everyMs: 20 })
    await stop(replicas[1] as Replica, 'while it writes deployments')
    const third = await scene.start('third')
    replicas.push(third)

    const total = BUNDLES * scene.clusters.length
    await eventually(async () => expect([(await bundles()).length, (await deployments()).length]).toEqual([BUNDLES, total]), {
      what: 'all is spread',
      timeoutMs: 120_000,
    })
    await eventually(
      async () => {
        const before = third.writes.length
        await pause(2_000)
        expect(third.writes.slice(before)).toEqual([])
      },
      { what: 'the hub is at rest' },
    )
    expect((await bundles()).filter(({ metadata }) => metadata.generation !== 1)).toEqual([])
    expect((await deployments()).filter(({ metadata }) => metadata.generation !== 1)).toEqual([])
    // a request that was given up in the end may never have been carried out
    const [posts, creations] = [count(replicas, 'POST', /\/bundles$/), count(replicas, 'POST', /\/bundledeployments$/)]
    process.stdout.write(`${posts} requests for ${BUNDLES} bundles, ${creations} for ${total} deployments\n`)
    expect(posts - BUNDLES).toBeLessThan(IN_FLIGHT)
    expect(creations - total).toBeLessThan(IN_FLIGHT)
    const changes = (pattern: RegExp): number[] => ['PUT', 'PATCH', 'DELETE'].map((method) => count(replicas, method, pattern))
    expect(changes(/\/(bundledeployments|contents)\/[^/]+$/)).toEqual([0, 0, 0])
    // each gets its finalizer
    const [put = 0, patched = 0, deleted = 0] = changes(/\/bundles\/[^/]+$/)
    expect([put, deleted]).toEqual([0, 0])
    expect(patched - BUNDLES).toBeLessThan(IN_FLIGHT)
    const gitRepo = await scene.hub.get<GitRepo>({ ...GIT_REPO, name: 'load', namespace: WORKSPACE })
    expect([gitRepo.status?.commit, gitRepo.status?.gitJobStatus]).toEqual([await repository.head(), 'Current'])
    await stop(third, 'at rest')
  })
})
