// Schedules through whole programs: what is committed outside of a window waits for it, whatever happens to the hub, and whatever the clocks of its users do.
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import { CLUSTER, SCHEDULE } from '../../api/kinds.ts'
import type { Schedule, ScheduleSpec } from '../../api/schedule.ts'
import { SYSTEM_NAMESPACE, WORKSPACE } from '../../devcluster/fleet-objects.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import type { KubeObject, ObjectRef } from '../../lib/kube/types.ts'
import { clockOffset } from '../clock-offset.ts'
import { consistently, eventually } from '../eventually.ts'
import { configMap, configMapRef, MEMBER, program, useFleet } from '../fleet.ts'
import type { ServedRepository } from '../git-server.ts'

type ConfigMap = KubeObject & { data?: Record<string, string> }
type Event = KubeObject & { reason?: string; note?: string; regarding?: { kind?: string; name?: string } }

const fleet = useFleet({
  controllerEnv: {
    EXPERIMENTAL_SCHEDULES: 'true',
    CATTLE_ELECTION_LEASE_DURATION: '4s',
    CATTLE_ELECTION_RENEW_DEADLINE: '3s',
    CATTLE_ELECTION_RETRY_PERIOD: '1s',
  },
})

/** A machine that does other things too notices times late. */
const SLACK_MS = 8_000
const SECOND = 1_000

/** A window that opens at a time, and every year at the same time again. */
function yearly(atMs: number): string {
  const at = new Date(atMs)
  const [second, minute, hour] = [at.getUTCSeconds(), at.getUTCMinutes(), at.getUTCHours()]
  return `${second} ${minute} ${hour} ${at.getUTCDate()} ${at.getUTCMonth() + 1} ? ${at.getUTCFullYear()}/1`
}

/** So many seconds from now, without milliseconds. */
const inSeconds = (seconds: number): number => Math.ceil(Date.now() / SECOND + seconds) * SECOND

const timeText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

const refOf = (name: string): ObjectRef => ({ ...SCHEDULE, name, namespace: WORKSPACE })

async function schedule(name: string, spec: ScheduleSpec): Promise<void> {
  const full = { duration: '20s', location: 'UTC', targets: { clusters: [{ clusterSelector: {} }] }, ...spec }
  await fleet.hub.apply({ ...SCHEDULE, metadata: { name, namespace: WORKSPACE }, spec: full } as KubeObject, {
    fieldManager: 'story',
    force: true,
  })
}

const getSchedule = (name: string): Promise<Schedule> => fleet.hub.get<Schedule>(refOf(name))

async function flags(): Promise<'free' | 'held' | 'open'> {
  const { status } = await fleet.hub.get<Cluster>({ ...CLUSTER, name: MEMBER, namespace: WORKSPACE })
  return !status?.scheduled ? 'free' : status.activeSchedule ? 'open' : 'held'
}

/** Waits until the hub has told the agent of the member cluster what it may do. */
function told(expected: 'free' | 'held' | 'open', gitRepo: string): Promise<void> {
  return eventually(
    async () => {
      const [deployment] = await fleet.deployments(gitRepo)
      expect([await flags(), deployment?.spec.offSchedule ?? false]).toEqual([expected, expected === 'held'])
    },
    { what: `${MEMBER} is ${expected}` },
  )
}

async function live(name: string): Promise<string | undefined> {
  return (await fleet.down.find<ConfigMap>(configMapRef('one', name)))?.data?.text
}

const runs = (name: string, text: string): Promise<void> =>
  eventually(async () => expect(await live(name)).toBe(text), { what: `${name} runs ${text}` })

const file = (text: string) => ({ 'raw/one.yaml': configMap('one', { text }) })

/** A GitRepo that is deployed. */
async function deployed(name: string): Promise<ServedRepository> {
  const repository = await fleet.git.repository(name, { ...file('first'), 'raw/fleet.yaml': `defaultNamespace: ${name}\n` })
  await fleet.gitRepo(name, { repo: repository.url, paths: ['raw'] })
  await fleet.ready(name, await repository.head())
  return repository
}

/** Commits a text, and waits until all that is missing is the agent's leave. */
async function prepared(name: string, repository: ServedRepository, text: string): Promise<BundleDeployment> {
  const commit = await repository.commit(file(text))
  return eventually(
    async () => {
      const [deployment] = await fleet.deployments(name)
      expect(deployment?.metadata.labels?.['fleet.cattle.io/commit']).toBe(commit)
      return deployment as BundleDeployment
    },
    { what: `${text} of ${name} is prepared` },
  )
}

/** What `fleet explain` says of a GitRepo, and its exit code. */
async function explain(gitRepo: string): Promise<{ code: number; text: string }> {
  const args = [program('fleet'), 'explain', 'gitrepo', '-n', WORKSPACE, gitRepo, '--no-color']
  const env = { KUBECONFIG: fleet.world.hub.kubeconfig, HOME: fleet.world.dir, PATH: process.env.PATH ?? '' }
  try {
    return { code: 0, text: (await promisify(execFile)(process.execPath, args, { env, timeout: 30_000 })).stdout }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string }
    return { code: code ?? -1, text: stdout + stderr }
  }
}

type Changes = [flags: string, atMs: number][]

/** The flags of the member cluster as they change, with their times, until the time that `end` is told. */
function watchChanges(): { readonly changes: Promise<Changes>; end(atMs: number): void } {
  let endMs = Number.POSITIVE_INFINITY
  let isOver = false
  onTestFinished(() => {
    isOver = true
  })
  async function watch(): Promise<Changes> {
    const seen: Changes = []
    while (Date.now() < endMs && !isOver) {
      const now = await flags()
      if (seen.at(-1)?.[0] !== now) seen.push([now, Date.now()])
      await pause(100)
    }
    return seen
  }
  const changes = watch()
  changes.catch(() => {}) // told to whoever waits for them, which is nobody when the test fails before
  return {
    changes,
    end: (atMs) => {
      endMs = atMs
    },
  }
}

function changesUntil(endMs: number): Promise<Changes> {
  const { changes, end } = watchChanges()
  end(endMs)
  return changes
}

afterEach(async () => {
  const { items } = await fleet.hub.list<Schedule>(SCHEDULE, { namespace: WORKSPACE })
  for (const { metadata } of items) await fleet.hub.delete(refOf(metadata.name))
  for (const { metadata } of items) await fleet.gone(fleet.hub, refOf(metadata.name))
})

describe('a schedule', () => {
  test('holds back what is committed until its window opens, and again when it is over; without it all goes on', async () => {
    const repository = await deployed('shop')
    const opens = inSeconds(35)
    const closes = opens + 20 * SECOND
    await schedule('nightly', { schedule: yearly(opens) })
    await told('held', 'shop')
    // the schedule is told after its clusters
    await eventually(async () =>
      expect((await getSchedule('nightly')).status).toEqual({ nextStartTime: timeText(opens), matchingClusters: [MEMBER] }),
    )

    const { status, spec } = await prepared('shop', repository, 'second')
    expect(status?.appliedDeploymentID).not.toBe(spec.deploymentID)
    const { code, text } = await explain('shop')
    expect(code, text).toBe(5)
    for (const part of ['OutsideSchedule', `${WORKSPACE}/nightly`, timeText(opens), MEMBER]) expect(text).toContain(part)
    await eventually(async () =>
      expect((await fleet.getGitRepo('shop')).status?.display).toMatchObject({ readyBundleDeployments: '0/1', state: 'WaitApplied' }),
    )
    expect(Date.now(), 'this machine is too slow for this test').toBeLessThan(opens - SECOND)
    await consistently(async () => expect(await live('shop')).toBe('first'), { forMs: opens - SECOND - Date.now() })

    await runs('shop', 'second')
    const rolledOut = Date.now()
    process.stdout.write(`rolled out ${rolledOut - opens} ms after its window has opened\n`)
    expect(rolledOut).toBeGreaterThanOrEqual(opens)
    expect(rolledOut).toBeLessThan(closes)
    await eventually(async () => expect((await getSchedule('nightly')).status?.active).toBe(true))

    await told('held', 'shop')
    expect(Date.now()).toBeGreaterThanOrEqual(closes)
    expect(Date.now() - closes).toBeLessThan(SLACK_MS)
    await prepared('shop', repository, 'third')
    await consistently(async () => expect(await live('shop')).toBe('second'), { forMs: 4_000 })
    const ended = (await getSchedule('nightly')).status
    expect([ended?.active, ended?.conditions]).toEqual([undefined, undefined])
    expect(Date.parse(ended?.nextStartTime ?? '')).toBeGreaterThan(closes + 300 * 24 * 3_600 * SECOND)

    await fleet.hub.delete(refOf('nightly'))
    await fleet.gone(fleet.hub, refOf('nightly'))
    await told('free', 'shop')
    await runs('shop', 'third')
    await fleet.ready('shop', await repository.head())
    expect((await explain('shop')).code).toBe(0)
  })

  test('and another one that overlaps make one long window', async () => {
    const repository = await deployed('overlap')
    const opens = inSeconds(15)
    await schedule('early', { schedule: yearly(opens), duration: '8s' })
    await schedule('late', { schedule: yearly(opens + 4 * SECOND), duration: '26s' })
    const closes = opens + 30 * SECOND
    await told('held', 'overlap')
    const changes = changesUntil(closes + SLACK_MS)
    await eventually(
      async () => {
        const [early, late] = [await getSchedule('early'), await getSchedule('late')]
        expect([early.status?.active, late.status?.active]).toEqual([undefined, true])
      },
      { what: 'the first window is over, and the second one is not' },
    )
    await prepared('overlap', repository, 'second')
    await runs('overlap', 'second')
    expect(Date.now(), 'this machine is too slow for this test').toBeLessThan(closes)
    const seen = await changes
    expect(seen.map(([flag]) => flag)).toEqual(['held', 'open', 'held'])
    for (const [index, at] of [opens, closes].entries()) {
      const lateMs = (seen[index + 1]?.[1] ?? 0) - at
      expect(lateMs).toBeGreaterThanOrEqual(0)
      expect(lateMs).toBeLessThan(SLACK_MS)
    }
  })

  test('is not closed by a hub that is killed within its window, and closed in time by the one that comes after', async () => {
    const repository = await deployed('killed')
    const opens = inSeconds(5)
    await schedule('nightly', { schedule: yearly(opens), duration: '1h' })
    await told('open', 'killed')
    const { changes, end } = watchChanges()
    for (const text of ['second', 'third']) {
      expect(fleet.world.kill('hub', 'fleet-controller', 'SIGKILL')).toBe(true)
      await prepared('killed', repository, text)
      await runs('killed', text)
    }
    const closes = inSeconds(10)
    await schedule('nightly', { schedule: yearly(opens), duration: `${(closes - opens) / SECOND}s` })
    end(closes + SLACK_MS)
    const seen = await changes
    expect(seen.map(([flag]) => flag)).toEqual(['open', 'held'])
    expect((seen[1]?.[1] ?? 0) - closes).toBeGreaterThanOrEqual(0)
    expect((seen[1]?.[1] ?? 0) - closes).toBeLessThan(SLACK_MS)
  })
})

describe('a schedule that cannot be used', () => {
  test.each<[what: string, spec: ScheduleSpec, message: RegExp]>([
    ['never opens', { schedule: '0 0 2 30 2 ?' }, /^schedule "0 0 2 30 2 \?" names no time that is still to come: change it, or delete it/],
    ['is over', { schedule: '0 0 2 1 1 ? 2020' }, /names no time that is still to come: change it, or delete it/],
    ['is no cron expression', { schedule: 'every night' }, /^schedule: "every night" is not a cron expression/],
    [
      'is nowhere',
      { location: 'Nowhere/Land' },
      /^location: "Nowhere\/Land" is not a time zone: write an IANA name such as Europe\/Berlin/,
    ],
    ['has no length', { duration: '0s' }, /^duration is not positive: say how long deployments are allowed, such as/],
    ['is longer than the time between its starts', { schedule: '0 * * * * ?', duration: '2m' }, /^duration is too long: .*shorten it/],
    ['has a broken selector', { targets: { clusters: [{ clusterSelector: { matchLabels: { 'a b': 'x' } } }] } }, /a b/],
  ])('because it %s says what to do, and leaves everything as it was', async (what, spec, message) => {
    const name = `bad-${what.replaceAll(' ', '-')}`
    const good = { schedule: yearly(inSeconds(3_600)) }
    await deployedOnce('steady')
    await schedule(name, good)
    await told('held', 'steady')
    await schedule(name, { ...good, ...spec })
    const note = await eventually(
      async () => {
        const { status } = await getSchedule(name)
        const condition = getCondition(status?.conditions, 'Ready')
        expect(condition).toMatchObject({ status: 'False', message: expect.stringMatching(message) })
        expect([status?.matchingClusters, status?.active, status?.nextStartTime]).toEqual([[MEMBER], undefined, undefined])
        return condition?.message
      },
      { what: 'the condition says it' },
    )
    await eventually(
      async () => {
        const { items } = await fleet.hub.list<Event>({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, { namespace: WORKSPACE })
        const about = items.filter(({ regarding }) => regarding?.kind === 'Schedule' && regarding.name === name)
        expect(about.map(({ reason, note: text }) => [reason, text])).toEqual([['ScheduleInvalid', note]])
      },
      { what: 'an event says it' },
    )
    await told('held', 'steady')
    expect(await live('steady')).toBe('first')
    await schedule(name, good)
    await eventually(async () => expect((await getSchedule(name)).status?.conditions).toBeUndefined(), { what: 'it is well again' })
  })

  test('because its length is no duration is refused by the API server, and the one before stays', async () => {
    const good = { schedule: yearly(inSeconds(3_600)) }
    await schedule('worded', good)
    await expect(schedule('worded', { ...good, duration: '1 hour' })).rejects.toThrow(
      'spec.duration: Invalid value: "1 hour": write a duration such as',
    )
    expect((await getSchedule('worded')).spec).toMatchObject({ duration: '20s' })
  })

  let steady: Promise<ServedRepository> | undefined
  const deployedOnce = (name: string): Promise<ServedRepository> => (steady ??= deployed(name))

  test('is named by fleet explain as what holds a cluster', async () => {
    const repository = await deployedOnce('steady')
    await schedule('broken', { schedule: yearly(inSeconds(3_600)) })
    await told('held', 'steady')
    await prepared('steady', repository, 'second')
    await schedule('broken', { schedule: yearly(inSeconds(3_600)), location: 'Nowhere/Land' })
    await eventually(async () => {
      const { code, text } = await explain('steady')
      expect(code, text).toBe(4)
      for (const part of ['ScheduleInvalid', `${WORKSPACE}/broken`, 'Nowhere/Land', 'correct or delete it']) expect(text).toContain(part)
    })
    await fleet.hub.delete(refOf('broken'))
    await runs('steady', 'second')
  })
})

/** Clocks in New York: set forward from 2:00 to 3:00 at 7:00 UTC, and back from 2:00 to 1:00 at 6:00 UTC. */
const SPRING = '2040-03-11'
const AUTUMN = '2040-11-04'

describe('on a day on which clocks are set', () => {
  /** Starts the hub with a clock that shows `text` so many seconds from now. */
  async function hubAt(text: string, seconds: number): Promise<number> {
    const atMs = Date.now() + seconds * SECOND
    const [entry = ['', '']] = Object.entries(clockOffset(Date.parse(text) - atMs))
    const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'fleet-controller', namespace: SYSTEM_NAMESPACE }
    const template = { spec: { containers: [{ name: 'fleet-controller', env: [{ name: entry[0], value: entry[1] }] }] } }
    await fleet.hub.patch(ref, { spec: { strategy: { type: 'Recreate', rollingUpdate: null }, template } }, { type: 'strategic' })
    return atMs
  }

  test('a window within the hour that is left out opens when the clock is set, as long as it is meant to be', async () => {
    const repository = await deployed('spring')
    await hubAt(`${SPRING}T03:00:00Z`, 0)
    await schedule('nightly', { schedule: '0 30 2 * * ?', location: 'America/New_York' })
    await eventually(async () => expect((await getSchedule('nightly')).status?.nextStartTime).toBe(`${SPRING}T07:00:00Z`), {
      what: 'the hub has the other clock',
    })
    await told('held', 'spring')
    await prepared('spring', repository, 'second')
    expect(await live('spring')).toBe('first')
    const opens = await hubAt(`${SPRING}T07:00:00Z`, 30)
    await runs('spring', 'second')
    expect(Date.now()).toBeGreaterThanOrEqual(opens)
    expect(Date.now()).toBeLessThan(opens + 20 * SECOND)
    await eventually(async () =>
      expect((await getSchedule('nightly')).status).toMatchObject({ active: true, nextStartTime: '2040-03-12T06:30:00Z' }),
    )
    await told('held', 'spring')
    const lateMs = Date.now() - opens - 20 * SECOND
    expect(lateMs).toBeGreaterThanOrEqual(0)
    expect(lateMs).toBeLessThan(SLACK_MS)
  })

  test('a window within the hour that comes twice opens only the first time', async () => {
    await deployed('autumn')
    const second = await hubAt(`${AUTUMN}T06:30:00Z`, 50)
    await schedule('nightly', { schedule: '0 30 1 * * ?', location: 'America/New_York' })
    await eventually(async () => expect((await getSchedule('nightly')).status?.nextStartTime).toBe('2040-11-05T06:30:00Z'), {
      what: 'the hub has the other clock',
    })
    await told('held', 'autumn')
    expect(Date.now(), 'this machine is too slow for this test').toBeLessThan(second)
    expect(await changesUntil(second + 6 * SECOND)).toEqual([['held', expect.any(Number)]])
  })
})
