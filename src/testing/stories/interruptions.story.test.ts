// Programs that are killed, connections that break, restarts: it always ends ready, and nothing is done twice.
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import type { GitRepo } from '../../api/git-repo.ts'
import { GIT_REPO } from '../../api/kinds.ts'
import { SYSTEM_NAMESPACE, WORKSPACE } from '../../devcluster/fleet-objects.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { consistently, eventually } from '../eventually.ts'
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts'
import { configMap, configMapRef, MEMBER, useFleet } from '../fleet.ts'
import { countWrites, writesBetween } from '../write-count.ts'

type ConfigMap = KubeObject & { data?: Record<string, string> }

let proxy: FaultProxy | undefined
const fleet = useFleet({
  hubFor: async (_member, hub) => {
    proxy = await startFaultProxy({ target: hub })
    return proxy
  },
})
afterAll(() => proxy?.stop())

const KILLS = 20
const OUTAGE_MS = 60_000
/** Not before this time does a hub tell of polls without news. */
const SIGN_OF_LIFE_MS = 30_000

describe('the path from a commit to objects', () => {
  test(`ends ready although programs are killed ${KILLS} times on the way`, { timeout: 300_000 }, async () => {
    const repository = await fleet.git.repository('killed', {
      'raw/one.yaml': configMap('one', { turn: '0' }),
      'raw/fleet.yaml': 'defaultNamespace: killed\n',
    })
    await fleet.gitRepo('killed', { repo: repository.url, paths: ['raw'] })
    for (let turn = 1; turn <= KILLS; turn++) {
      // at another moment each time, and each program as often as the other
      await pause(150 + ((turn * 389) % 1_300))
      const [cluster, program] = turn % 2 === 0 ? (['hub', 'fleet-controller'] as const) : ([MEMBER, 'fleet-agent'] as const)
      await eventually(() => expect(fleet.world.kill(cluster, program, 'SIGKILL')).toBe(true), {
        what: `${program} runs`,
        timeoutMs: 30_000,
      })
      if (turn % 4 === 0) await repository.commit({ 'raw/one.yaml': configMap('one', { turn: String(turn) }) })
    }
    await fleet.ready('killed', await repository.head(), 120_000)
    expect((await fleet.down.get<ConfigMap>(configMapRef('one', 'killed'))).data).toEqual({ turn: String(KILLS) })
    const releases = await fleet.down.list<KubeObject>(
      { apiVersion: 'v1', kind: 'Secret' },
      { namespace: 'killed', labelSelector: 'owner=helm' },
    )
    const states = releases.items.map(({ metadata }) => metadata.labels?.status)
    expect(states.filter((state) => state === 'deployed')).toHaveLength(1)
    expect(states.filter((state) => state?.startsWith('pending'))).toEqual([])
  })

  test('keeps its state while an agent is cut off, and catches up', { timeout: 300_000 }, async () => {
    const repository = await fleet.git.repository('cut', {
      'raw/one.yaml': configMap('one', { text: 'before' }),
      'raw/fleet.yaml': 'defaultNamespace: cut\n',
    })
    await fleet.gitRepo('cut', { repo: repository.url, paths: ['raw'] })
    await fleet.ready('cut', await repository.head())
    proxy?.fail({ status: 503, count: Number.POSITIVE_INFINITY })
    proxy?.cut()
    const commit = await repository.commit({ 'raw/one.yaml': configMap('one', { text: 'after' }) })
    await eventually(async () => expect((await fleet.getGitRepo('cut')).status?.commit).toBe(commit), {
      what: 'the hub has read the commit',
    })
    const end = Date.now() + OUTAGE_MS
    await consistently(async () => expect((await fleet.down.get<ConfigMap>(configMapRef('one', 'cut'))).data).toEqual({ text: 'before' }), {
      forMs: OUTAGE_MS,
      everyMs: 2_000,
    })
    expect(Date.now()).toBeGreaterThanOrEqual(end)
    proxy?.resume()
    await fleet.ready('cut', commit)
    expect((await fleet.down.get<ConfigMap>(configMapRef('one', 'cut'))).data).toEqual({ text: 'after' })
  })

  test('is not walked again when the programs are restarted with everything in place', { timeout: 180_000 }, async () => {
    const repository = await fleet.git.repository('quiet', {
      'raw/one.yaml': configMap('one'),
      'raw/fleet.yaml': 'defaultNamespace: quiet\n',
    })
    await fleet.gitRepo('quiet', { repo: repository.url, paths: ['raw'] })
    await fleet.ready('quiet', await repository.head())
    for (const [cluster, program, server] of [
      ['hub', 'fleet-controller', fleet.world.hub],
      [MEMBER, 'fleet-agent', fleet.world.members[MEMBER] ?? fleet.world.hub],
    ] as const) {
      await quiet(server)
      const before = [await countWrites(fleet.world.hub), await countWrites(server)] as const
      const gitRepos = await known()
      const [start, { restartCount }] = [Date.now(), await statusOf(cluster, program)]
      await eventually(() => expect(fleet.world.kill(cluster, program, 'SIGKILL')).toBe(true))
      await eventually(
        async () => {
          const status = await statusOf(cluster, program)
          expect(status).toMatchObject({ ready: true })
          expect(status.restartCount).toBeGreaterThan(restartCount)
        },
        { what: `${program} is ready again` },
      )
      await quiet(server)
      const written = {
        ...writesBetween(before[0], await countWrites(fleet.world.hub)),
        ...writesBetween(before[1], await countWrites(server)),
      }
      const isOld = program === 'fleet-agent' || Date.now() - start > SIGN_OF_LIFE_MS
      // the pod's own status is written by its node; a hub that has run for a while tells now and then that it still polls, an agent soon that it lives
      const others = new RegExp(
        ` (pods|deployments|replicasets|nodes|events${isOld ? '|gitrepos' : ''}${program === 'fleet-agent' ? '|clusters' : ''})$`,
      )
      const ours = Object.keys(written).filter((key) => !others.test(key))
      expect(ours, program).toEqual([])
      expect(await known()).toEqual(gitRepos)
    }
  })
})

/** What the hub says of the repositories, but for when it asked last. */
async function known(): Promise<object[]> {
  const { items } = await fleet.hub.list<GitRepo>(GIT_REPO, { namespace: WORKSPACE })
  return items.map(({ metadata: { name, generation }, status }) => ({ name, generation, ...status, lastPollingTriggered: undefined }))
}

/** Waits until nothing has been written for a while. */
async function quiet(server: { url: string; ca: string; token: string }): Promise<void> {
  await eventually(
    async () => {
      const before = await countWrites(server)
      await pause(4_000)
      expect(writesBetween(before, await countWrites(server))).toEqual({})
    },
    { what: 'nothing more is written' },
  )
}

/** The container of a program, as its node tells of it. */
async function statusOf(cluster: string, program: string): Promise<{ restartCount: number; ready: boolean }> {
  const { items } = await fleet
    .clientOf(cluster)
    .list<KubeObject & { status?: { containerStatuses?: { restartCount: number; ready: boolean }[] } }>(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace: SYSTEM_NAMESPACE, labelSelector: `app=${program}` },
    )
  const [status] = items[0]?.status?.containerStatuses ?? []
  if (!status) throw new Error(`${program} has no container`)
  return status
}
