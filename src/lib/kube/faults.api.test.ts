// Caches and writes through a proxy that breaks things. Whatever happens: afterwards the cache is what the server has, and everybody was told.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testCluster } from '../../testing/cluster.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import { type FaultProxy, startFaultProxy } from '../../testing/fault-proxy.ts'
import { CONFIG_MAP, type ConfigMap, clientOf, configMap, createNamespace, eventually } from '../../testing/kube.ts'
import { type Clock, systemClock } from '../controller/clock.ts'
import { keyOf } from '../controller/keys.ts'
import { type Logger, silentLogger } from '../controller/log.ts'
import type { KubeClient } from './client.ts'
import { ConnectionError, isConflict } from './errors.ts'
import { createInformerFactory, type Informer, type InformerFactory } from './informer.ts'

let direct: KubeClient
let proxy: FaultProxy
let client: KubeClient
let namespace: string
let factory: InformerFactory
let informer: Informer<ConfigMap>
let told: Map<string, ConfigMap>

beforeAll(async () => {
  const { url, ca, token, kubeconfig } = testCluster('hub')
  direct = await clientOf(kubeconfig)
  proxy = await startFaultProxy({ target: { url, ca, token } })
})

beforeEach(async () => {
  namespace = await createNamespace(direct, 'faults')
  client = await clientOf(proxy.kubeconfig)
  told = new Map()
})

afterEach(async () => {
  proxy.resume()
  await factory?.stop()
  await client.close()
  await direct.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
})

afterAll(async () => {
  await proxy?.stop()
  await direct?.close()
})

async function follow(clock: Clock = systemClock, log: Logger = silentLogger): Promise<void> {
  factory = createInformerFactory(client, { clock, log, random: () => 0 })
  informer = factory.informer<ConfigMap>({ type: CONFIG_MAP, namespace, labelSelector: 'faults=yes' })
  informer.subscribe(({ type, object }) => {
    if (type === 'deleted') told.delete(keyOf(object))
    else told.set(keyOf(object), object)
    throw new Error('handlers may fail')
  })
  factory.start(new AbortController().signal)
  await factory.waitSynced()
  await eventually('the watch is open', () => proxy.watches === 1)
}

/** Creates, changes and deletes objects: of every ten one is deleted and one is created anew. */
async function change(round: number): Promise<void> {
  for (let index = 0; index < 10; index++) {
    const object = configMap(namespace, `cm-${index}`, { round: String(round) }, { faults: 'yes' })
    await direct.apply(object, { fieldManager: 'test', force: true })
  }
  await direct.delete({ ...CONFIG_MAP, namespace, name: 'cm-3' })
  await direct.delete({ ...CONFIG_MAP, namespace, name: 'cm-4' })
  await direct.create(configMap(namespace, 'cm-4', { round: `${round} anew` }, { faults: 'yes' }))
}

function versions(objects: Iterable<ConfigMap>): string {
  return JSON.stringify([...objects].map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort())
}

async function expectSame(timeoutMs = 30_000): Promise<void> {
  const { items } = await direct.list<ConfigMap>(CONFIG_MAP, { namespace, labelSelector: 'faults=yes' })
  await eventually('the cache is what the server has', () => versions(informer.list()) === versions(items), timeoutMs)
  expect(versions(told.values())).toBe(versions(items))
  expect(items).toHaveLength(9)
}

describe('a cache survives', () => {
  test('broken connections', async () => {
    await change(0)
    await follow()
    for (let round = 1; round <= 3; round++) {
      const changing = change(round)
      proxy.cut()
      await changing
      await expectSame()
    }
  })

  test('an API server that is away for a while', async () => {
    await follow()
    proxy.fail({ status: 503, count: Number.POSITIVE_INFINITY })
    proxy.cut()
    await change(1)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    proxy.resume()
    await expectSame()
  })

  test('errors 500 and 429 to list and watch', async () => {
    proxy.fail({ status: 500, count: 1, match: ({ path }) => path.includes('configmaps') })
    proxy.fail({ status: 429, count: 1, retryAfter: 1, match: ({ path }) => path.includes('configmaps') })
    await follow()
    proxy.fail({ status: 500, count: 1, match: ({ watch }) => watch })
    proxy.fail({ status: 429, count: 1, retryAfter: 1, match: ({ watch }) => watch })
    proxy.cut()
    await change(1)
    await expectSame()
  })

  test('versions that are too old, as an answer and as an event', async () => {
    await follow()
    proxy.fail({ status: 410, count: 1, match: ({ watch }) => watch })
    proxy.cut()
    await change(1)
    await expectSame()
    await eventually('the watch is open again', () => proxy.watches === 1)
    proxy.forget()
    proxy.expireWatches()
    await change(2)
    await expectSame()
    const lists = proxy.seen.filter(({ watch }) => !watch)
    expect(lists).toHaveLength(1)
    expect(lists[0]?.path).toMatch(/resourceVersion=\d+&resourceVersionMatch=NotOlderThan/)
  })

  test('events that are cut in the middle', async () => {
    await follow()
    for (let round = 1; round <= 3; round++) {
      proxy.halfWrite()
      await change(round)
      await expectSame()
    }
  })

  test('a slow network', async () => {
    proxy.delay(400)
    await follow()
    await change(1)
    await expectSame()
  })

  test('a watch that falls silent', async () => {
    const clock = createFakeClock()
    await follow(clock)
    proxy.stallWatches()
    await change(1)
    await clock.advance(60_000)
    expect(versions(informer.list())).toBe('[]')
    await clock.advance(60_000)
    proxy.resume()
    await expectSame()
  })

  test('all of it at random', async () => {
    await follow()
    const faults = [proxy.cut, proxy.halfWrite, proxy.expireWatches, () => proxy.fail({ status: 500, match: ({ watch }) => watch })]
    for (let round = 1; round <= 8; round++) {
      const changing = change(round)
      faults[round % faults.length]?.()
      await changing
    }
    await expectSame(60_000)
  })
})

test('what does not work is logged once per change', async () => {
  const lines: string[] = []
  const log: Logger = {
    ...silentLogger,
    child: () => log,
    warn: (fields, message) => lines.push(`${message}: ${(fields as { error: string }).error}`),
    info: (_, message) => lines.push(message),
  }
  await follow(systemClock, log)
  proxy.fail({ status: 403, count: 2, match: ({ watch }) => watch })
  proxy.cut()
  await change(1)
  await expectSame()
  const refused = lines.filter((line) => line.includes('403'))
  expect(refused).toHaveLength(1)
  await eventually('it was logged', () => lines.at(-1) === 'following objects again')
})

describe('requests', () => {
  test('wait as long as the server asks, whatever the verb', async () => {
    proxy.forget()
    proxy.fail({ status: 429, count: 2, retryAfter: 1, match: ({ method }) => method === 'POST' })
    const startedAt = Date.now()
    await client.create(configMap(namespace, 'patient'))
    expect(Date.now() - startedAt).toBeGreaterThan(1_900)
    expect(proxy.seen.filter(({ method }) => method === 'POST')).toHaveLength(3)
  })

  test('do not wait longer than their time limit', async () => {
    proxy.fail({ status: 503, retryAfter: 60, match: ({ path }) => path === '/version' })
    await expect(client.serverVersion({ timeoutMs: 5_000 })).rejects.toMatchObject({ status: 503, retryAfterMs: 60_000 })
  })

  test('that only read are repeated once when their connection breaks, others are not', async () => {
    await client.create(configMap(namespace, 'before'))
    proxy.forget()
    proxy.delay(60_000)
    const reading = client.serverVersion()
    const writing = client.create(configMap(namespace, 'cut')).catch((error: unknown) => error)
    await eventually('both are under way', () => proxy.seen.length === 2)
    proxy.resume()
    proxy.cut()
    expect((await reading).major).toBe('1')
    expect(await writing).toBeInstanceOf(ConnectionError)
    expect(String(await writing)).toContain(`cannot reach the API server ${proxy.url}`)
  })

  test('conflicts and other refusals come through', async () => {
    await client.create(configMap(namespace, 'storm'))
    proxy.fail({ status: 409, count: 2, match: ({ method }) => method === 'PATCH' })
    const ref = { ...CONFIG_MAP, namespace, name: 'storm' }
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await client.patch(ref, { data: {} }, { type: 'merge' }).catch((reason: unknown) => reason)
      expect(isConflict(error)).toBe(true)
    }
    await client.patch(ref, { data: { a: 'b' } }, { type: 'merge' })
  })
})
