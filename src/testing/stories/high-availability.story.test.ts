// Several controllers on one hub: one leads, the next takes over when it is gone, and nothing is done twice. With shards, each does its own part.
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Content } from '../../api/content.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CONTENT, GIT_REPO } from '../../api/kinds.ts'
import { CONTENT_NAME_LABEL, SHARD_REF_LABEL } from '../../api/labels.ts'
import { WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import { SECRET, type Secret } from '../../registration/kinds.ts'
import { eventually } from '../eventually.ts'
import { configMap } from '../fleet.ts'
import { isLease, LEASE, type Replica, type SentWrite, useReplicas } from '../replicas.ts'

const scene = useReplicas(['north', 'south', 'west'])
const LOAD = 40
/** A machine that does other things too notices some events late. */
const SLACK_MS = 2_500
/** The longest time between two looks at a lease. */
const LOOK_MS = 1.2 * LEASE.retryPeriodMs
/** The last renewal is seen at one look, its end at a later one. */
const TAKE_OVER_MS = LEASE.durationMs + 2 * LOOK_MS
/** Longer than a status lets wait for itself (a second behind a burst, two where a deployment waits to be applied), on a busy machine. */
const STATUS_REST_MS = 4_000

async function createBundles(prefix: string, count = LOAD, labels: Record<string, string> = {}): Promise<void> {
  const bundles = Array.from({ length: count }, (_, index) => ({
    ...BUNDLE,
    metadata: { name: `${prefix}-${index}`, namespace: WORKSPACE, labels: { load: prefix, ...labels } },
    spec: {
      defaultNamespace: prefix,
      helm: { values: { index } },
      resources: [{ name: 'one.yaml', content: configMap('one', { text: `${prefix} ${index}` }) }],
      targets: [{ name: 'all', clusterSelector: {} }],
    },
  }))
  await inParallel(bundles, 16, (bundle) => scene.hub.create(bundle as Bundle))
}

/** One that cannot be read: that is said in its status. */
async function createGitRepo(name: string, labels: Record<string, string>): Promise<void> {
  const spec = { repo: 'http://127.0.0.1:9/none.git', branch: 'master', pollingInterval: '1h' }
  await scene.hub.create({ ...GIT_REPO, metadata: { name, namespace: WORKSPACE, labels }, spec } as GitRepo)
}

async function deployments(prefix: string): Promise<BundleDeployment[]> {
  const { items } = await scene.hub.list<BundleDeployment>(BUNDLE_DEPLOYMENT)
  return items.filter(({ metadata }) => metadata.name.startsWith(`${prefix}-`))
}

/** Waits until all bundles of a load are spread, and nobody has written any more for a while. */
async function spread(prefix: string, replica: Replica, count = LOAD, restMs = 1_500): Promise<BundleDeployment[]> {
  const total = count * scene.clusters.length
  const all = await eventually(
    async () => {
      const found = await deployments(prefix)
      expect(found.length, replica.log().split('\n').slice(-20).join('\n')).toBe(total)
      return found
    },
    { what: `${total} deployments of ${prefix}`, timeoutMs: 60_000 },
  )
  await eventually(
    async () => {
      const before = replica.writes.length
      await pause(restMs)
      expect(replica.writes.slice(before)).toEqual([])
    },
    { what: `${replica.name} is at rest`, timeoutMs: 60_000 },
  )
  return all
}

const count = (writes: readonly SentWrite[], method: string, pattern: RegExp): number =>
  writes.filter((write) => write.method === method && pattern.test(write.path)).length
const DEPLOYMENTS = /\/bundledeployments$/
/** Of the deployment itself, not of its status. */
const A_DEPLOYMENT = /\/bundledeployments\/[^/]+$/
const CONTENTS = /\/contents$/

/** Nothing refers to what isn't there: a deployment comes after its content and its options. */
async function expectWhole(prefix: string): Promise<void> {
  const all = await deployments(prefix) // first: the next leader may be at work
  const contents = new Set((await scene.hub.list<Content>(CONTENT)).items.map(({ metadata }) => metadata.name))
  const secrets = new Map((await scene.hub.list<Secret>(SECRET)).items.map((secret) => [key(secret), secret]))
  for (const deployment of all) {
    const { metadata, spec } = deployment
    expect(contents, metadata.name).toContain(metadata.labels?.[CONTENT_NAME_LABEL])
    expect(spec.deploymentID?.split(':')[0]).toBe(metadata.labels?.[CONTENT_NAME_LABEL])
    if (spec.valuesHash) expect(secrets.get(key(deployment)), `options of ${metadata.name}`).toBeDefined()
  }
}

const key = ({ metadata }: { metadata: { namespace?: string; name: string } }): string => `${metadata.namespace}/${metadata.name}`

describe('two replicas', () => {
  let leader: Replica
  let standby: Replica

  test('one leads, the other waits and writes nothing', async () => {
    leader = await scene.start('a')
    await scene.leads(leader)
    standby = await scene.start('b')
    await scene.clusterNamespaces()
    await createBundles('first', 4)
    await spread('first', leader, 4)
    expect(standby.writes).toEqual([])
    expect(standby.process.exit).toBeUndefined()
  })

  test('when the leader is killed in the middle of its work the other goes on within the time of a lease, and nothing is written twice', async () => {
    await createBundles('killed')
    await eventually(async () => expect((await deployments('killed')).length).toBeGreaterThan(5), { everyMs: 20 })
    leader.process.kill('SIGKILL')
    await leader.process.exited
    const start = Date.now()
    await pause(2_000) // what was under way arrives, or does not; the lease lasts longer
    const [there, contents] = [await deployments('killed'), (await scene.hub.list<Content>(CONTENT)).items.length]
    await scene.leads(standby)
    const tookMs = Date.now() - start
    process.stdout.write(`leader killed with ${there.length} deployments there, next one leads after ${tookMs} ms\n`)
    expect(tookMs).toBeLessThan(TAKE_OVER_MS + SLACK_MS)
    const all = await spread('killed', standby)
    await expectWhole('killed')
    expect(all.map(({ metadata }) => metadata.generation)).toEqual(all.map(() => 1))
    const { items } = await scene.hub.list<Content>(CONTENT)
    expect(count(standby.writes, 'POST', DEPLOYMENTS)).toBe(all.length - there.length)
    expect(count(standby.writes, 'POST', CONTENTS)).toBe(items.length - contents)
    expect([...['PUT', 'PATCH', 'DELETE'].map((method) => count(standby.writes, method, A_DEPLOYMENT))]).toEqual([0, 0, 0])
  })

  test.each([
    ['renew its lease, though it reaches all else,', isLease],
    ['reach the hub', () => true],
  ])('a leader that cannot %s stops before its lease ends, and the other takes over', async (what, isHeld) => {
    const [old, next] = [standby, await scene.start(what.startsWith('reach') ? 'd' : 'c')]
    await scene.leads(old)
    await eventually(() => expect(next.log()).toContain('waiting for the lease'))
    const prefix = what.startsWith('reach') ? 'cut' : 'renewal'
    const start = Date.now()
    old.hold(isHeld)
    if (prefix === 'cut') old.cut()
    const renewed = old.lastRenewal
    let created = 0
    const leading = scene.leads(next).then(() => Date.now())
    // work comes in all the time
    const load = (async () => {
      while ((await scene.holder()) !== next.name && Date.now() - start < 20_000) {
        await createBundles(`${prefix}-${created++}`, 1)
        await pause(50)
      }
    })()
    const tookMs = (await leading) - start
    await load
    const last = Math.max(...old.writes.map(({ at }) => at))
    const first = Math.min(...next.writes.map(({ at }) => at))
    const { code } = await old.process.exited
    const figures = { tookMs, created, lastWriteMs: last - renewed, exitedMs: Date.now() - start }
    process.stdout.write(`leader that cannot ${what} ${JSON.stringify(figures)}\n`)
    expect(tookMs).toBeLessThan(TAKE_OVER_MS + SLACK_MS)
    expect(last).toBeLessThan(renewed + LEASE.durationMs)
    if (Number.isFinite(first)) expect(first).toBeGreaterThan(last)
    expect(code).toBe(1)
    const all = await spread(prefix, next, created)
    expect(all.map(({ metadata }) => metadata.generation)).toEqual(all.map(() => 1))
    const posted = [old, next].map(({ writes }) => writes.filter(({ at }) => at >= start))
    if (prefix === 'renewal') expect(posted.reduce((sum, writes) => sum + count(writes, 'POST', DEPLOYMENTS), 0)).toBe(all.length)
    standby = next
  })

  test('a leader that is asked to stop under load ends in order within 10 s, and the next one leads at once', async () => {
    const [old, next] = [standby, await scene.start('e')]
    await scene.leads(old)
    await eventually(() => expect(next.log()).toContain('waiting for the lease'))
    await createBundles('stopped')
    await eventually(async () => expect((await deployments('stopped')).length).toBeGreaterThan(5), { everyMs: 20 })
    const start = Date.now()
    old.process.kill('SIGTERM')
    const { code } = await old.process.exited
    const exitMs = Date.now() - start
    const check = async (): Promise<number> => {
      const { length } = await deployments('stopped')
      await expectWhole('stopped')
      return length
    }
    const [leadsMs, there] = await Promise.all([scene.leads(next).then(() => Date.now() - start), check()])
    process.stdout.write(`asked to stop with ${there} deployments there, ended after ${exitMs} ms, next one leads after ${leadsMs} ms\n`)
    expect(code).toBe(0)
    expect(exitMs).toBeLessThan(10_000)
    expect(leadsMs).toBeLessThan(exitMs + LOOK_MS + SLACK_MS)
    const all = await spread('stopped', next)
    expect(all.map(({ metadata }) => metadata.generation)).toEqual(all.map(() => 1))
    standby = next
  })

  test('a leader that is asked to stop while the hub does not answer ends within 10 s too', async () => {
    standby ??= await scene.start('f') // when this test runs alone
    await scene.leads(standby)
    await createBundles('unanswered')
    await eventually(async () => expect((await deployments('unanswered')).length).toBeGreaterThan(5), { everyMs: 20 })
    standby.hold(() => true)
    const start = Date.now()
    standby.process.kill('SIGTERM')
    await standby.process.exited
    process.stdout.write(`asked to stop while nothing answered, ended after ${Date.now() - start} ms\n`)
    expect(Date.now() - start).toBeLessThan(10_000)
  })
})

describe('shards', () => {
  test('each takes what has its label, and nobody takes what belongs to a shard that does not run', async () => {
    const shards = ['', 'red', 'blue'] as const
    const replicas = new Map<string, Replica>()
    for (const shard of shards) replicas.set(shard, await scene.start(`of-${shard || 'none'}`, shard ? [`--shard-id=${shard}`] : []))
    await Promise.all(shards.map((shard) => scene.leads(replicas.get(shard) as Replica, shard)))
    const owner = replicas.get('') as Replica
    await spread('unanswered', owner, LOAD, STATUS_REST_MS)
    await expectWhole('unanswered')
    const before = new Map([...replicas].map(([shard, { writes }]) => [shard, writes.length]))
    for (const shard of [...shards, 'green']) {
      const labels: Record<string, string> = shard ? { [SHARD_REF_LABEL]: shard } : {}
      await createBundles(`shard-${shard || 'none'}`, 3, labels)
      await createGitRepo(`shard-${shard || 'none'}-git`, labels)
    }
    for (const shard of shards) {
      const { name, writes } = replicas.get(shard) as Replica
      const status = `/gitrepos/shard-${shard || 'none'}-git/status`
      await eventually(() => expect(writes.map(({ path }) => path)).toContainEqual(expect.stringContaining(status)), {
        what: `${name} polls`,
      })
      await spread(`shard-${shard || 'none'}`, replicas.get(shard) as Replica, 3, STATUS_REST_MS)
    }
    expect(await deployments('shard-green')).toEqual([])
    for (const [shard, { writes }] of replicas) {
      const own = writes.slice(before.get(shard))
      expect(count(own, 'POST', DEPLOYMENTS), shard).toBe(3 * scene.clusters.length)
      const named = own.flatMap(({ path }) => /\/(?:bundles|bundledeployments|gitrepos)\/([^/]+)/.exec(path)?.[1] ?? [])
      const prefix = `shard-${shard || 'none'}-`
      expect(named).toContain(`${prefix}git`)
      expect(named.filter((name) => !name.startsWith(prefix))).toEqual([])
      // clusters have no label here
      if (shard) expect(own.filter(({ path }) => path.includes('/clusters/'))).toEqual([])
    }
    for (const { metadata } of await deployments('shard-red')) expect(metadata.labels?.[SHARD_REF_LABEL]).toBe('red')
  })
})
