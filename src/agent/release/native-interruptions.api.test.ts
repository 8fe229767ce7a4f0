// The native engine, cut off at each of its requests, or answered with an error: what comes after must find its way from there.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/controller/clock.ts'
import { silentLogger } from '../../lib/controller/log.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError } from '../../lib/kube/errors.ts'
import type { ReleaseEngine, ReleaseRef } from './engine.ts'
import { configMap, type EngineScene, rendered, useEngine } from './engine-fixture.contract.ts'
import { createNativeEngine } from './native-engine.ts'
import { settleInterrupted } from './settle.ts'
import { createReleaseStore } from './store.ts'

const workDir = await mkdtemp(join(tmpdir(), 'native-interruptions-'))
afterAll(() => rm(workDir, { recursive: true, force: true }))

const REQUESTS: readonly PropertyKey[] = ['find', 'get', 'list', 'create', 'update', 'patch', 'apply', 'delete', 'request']
const noCache = { synced: true, get: () => undefined, list: () => [], by: () => [], subscribe: () => () => {}, waitSynced: async () => {} }
const ROLLBACK = { force: false, maxHistory: 2, keepFailHistory: false }

type Mishap = 'the process dies' | 'the server answers with an error'

/** A client to which something happens at its request number `last` + 1. After the death of a process nothing reaches the cluster any more. */
function unlucky(client: KubeClient, last: number, mishap: Mishap): { client: KubeClient; happened(): boolean } {
  let count = 0
  const proxy = new Proxy(client, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver) as unknown
      if (!REQUESTS.includes(name)) return value
      return (...args: unknown[]) => {
        count++
        if (count > last && mishap === 'the process dies') return Promise.reject(new Error('the process has died'))
        if (count === last + 1) return Promise.reject(new ApiError({ status: 500, reason: 'InternalError', message: 'no luck today' }))
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
  return { client: proxy, happened: () => count > last }
}

describe.each<Mishap>(['the process dies', 'the server answers with an error'])('the native engine, when %s', (mishap) => {
  const s = useEngine({ create: ({ helm, store }) => createNativeEngine({ store, helm, choice: 'auto', clock: systemClock }), workDir })
  const first = rendered([configMap('a', { v: '1' }), configMap('dropped'), configMap('taken')])
  const second = rendered([configMap('a', { v: '2' }), configMap('only-second')])
  const third = rendered([configMap('a', { v: '3' }), configMap('new')])

  /** Runs `act` again and again, each time in another place and with the mishap one request later; then looks at what became of it. */
  async function cutAtEachRequest(
    prepare: (at: ReleaseRef) => Promise<void>,
    act: (engine: ReleaseEngine, client: KubeClient, at: ReleaseRef) => Promise<unknown>,
    afterwards: (at: ReleaseRef, scene: EngineScene) => Promise<void>,
  ): Promise<number> {
    for (let last = 0; last < 100; last++) {
      const at = s.place()
      await prepare(at)
      const { client, happened } = unlucky(s.client, last, mishap)
      const store = createReleaseStore(client, noCache)
      const engine = createNativeEngine({ store, helm: s.helmEngine, choice: 'auto', clock: systemClock })
      const outcome = await act(engine, client, at).then(
        () => 'done',
        () => 'failed',
      )
      if (!happened()) {
        expect(outcome).toBe('done')
        return last
      }
      await afterwards(at, s)
    }
    throw new Error('the operation never ends')
  }

  const expectThird = async (at: ReleaseRef): Promise<void> => {
    await s.deploy(at, third, { deployment: 'v3' })
    expect((await s.find(at, 'a'))?.data).toEqual({ v: '3' })
    for (const gone of ['dropped', 'only-second']) expect(await s.find(at, gone), gone).toBeUndefined()
    expect(await s.find(at, 'new')).toBeDefined()
    expect(await s.find(at, 'mine'), 'an object of somebody else').toBeDefined()
    const states = (await s.revisions(at)).map((text) => text.split(' ')[1])
    expect(states.at(-1)).toBe('deployed')
    expect(states.filter((state) => state === 'deployed' || state?.startsWith('pending-'))).toEqual(['deployed'])
  }
  const withMine = async (at: ReleaseRef): Promise<void> => {
    await s.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: at.namespace } })
    await s.client.create({ ...configMap('mine'), metadata: { name: 'mine', namespace: at.namespace } })
  }
  const deployWith = (what: typeof first, deployment: string) => async (engine: ReleaseEngine, client: KubeClient, at: ReleaseRef) =>
    s.deploy(at, what, { engine, deployment, access: { client, kubeconfig: () => s.access.kubeconfig() } })

  test('installing', async () => {
    expect(await cutAtEachRequest(withMine, deployWith(second, 'v2'), expectThird)).toBeGreaterThan(5)
  })

  test('upgrading', async () => {
    const prepare = async (at: ReleaseRef) => {
      await withMine(at)
      await s.deploy(at, first)
    }
    expect(await cutAtEachRequest(prepare, deployWith(second, 'v2'), expectThird)).toBeGreaterThan(8)
  })

  test('restoring', async () => {
    const prepare = async (at: ReleaseRef) => {
      await withMine(at)
      await s.deploy(at, second)
      await s.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: at.namespace, name: 'only-second' })
    }
    const act = (engine: ReleaseEngine, client: KubeClient, at: ReleaseRef) =>
      engine.rollback({ ...at, version: 1 }, ROLLBACK, { client, kubeconfig: () => '' })
    const requests = await cutAtEachRequest(prepare, act, async (at) => {
      const newest = await s.store.revisions(at)
      const store = { ...s.store, newest: () => newest.slice(-1) }
      await settleInterrupted({ store, isOurs: async () => true, log: silentLogger }, new AbortController().signal)
      expect(await s.revisions(at)).not.toContainEqual(expect.stringContaining('pending'))
      await s.engine.rollback({ ...at, version: 1 }, ROLLBACK, s.access)
      expect(await s.find(at, 'only-second')).toBeDefined()
      await expectThird(at)
    })
    expect(requests).toBeGreaterThan(5)
  })

  test('uninstalling', async () => {
    const prepare = async (at: ReleaseRef) => {
      await withMine(at)
      await s.deploy(at, first)
      await s.deploy(at, second)
      await s.deploy({ ...at, name: 'other' }, rendered([configMap('only-second')]), { settings: { takeOwnership: true } })
    }
    const act = (engine: ReleaseEngine, client: KubeClient, at: ReleaseRef) => engine.uninstall(at, { client, kubeconfig: () => '' })
    const requests = await cutAtEachRequest(prepare, act, async (at) => {
      await s.engine.uninstall(at, s.access)
      expect(await s.revisions(at)).toEqual([])
      expect(await s.find(at, 'a')).toBeUndefined()
      expect(await s.find(at, 'only-second'), 'an object of another release').toBeDefined()
      expect(await s.find(at, 'mine')).toBeDefined()
    })
    expect(requests).toBeGreaterThan(5)
  })
})
