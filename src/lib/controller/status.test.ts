import { expect, test } from 'vitest'
import type { KubeClient } from '../kube/client.ts'
import { ApiError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/types.ts'
import { createStatusWriter, writeStatus } from './status.ts'

interface Patch {
  metadata?: { resourceVersion?: string }
  status: Record<string, unknown>
}

/** Remembers patches and answers with the next resource version. */
function recordingClient(answer: (status: Record<string, unknown>) => unknown = (status) => status) {
  const patches: Patch[] = []
  const patch = async (ref: { name: string; namespace?: string }, body: Patch, options: unknown) => {
    expect(options).toEqual({ type: 'merge', subresource: 'status' })
    patches.push(body)
    return { ...objectWith(answer(body.status)), metadata: { ...ref, resourceVersion: String(7 + patches.length) } }
  }
  return { client: { patch } as unknown as KubeClient, patches }
}

function objectWith(status: unknown): KubeObject & { status: unknown } {
  return { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'Bundle', metadata: { name: 'a', namespace: 'ns', resourceVersion: '7' }, status }
}

test('equal statuses cost no request', async () => {
  const { client, patches } = recordingClient()
  const status = { a: 1, list: [{ x: 1, y: undefined }], gone: null, map: { k: 'v' } }
  expect(await writeStatus(client, objectWith(status), { list: [{ x: 1 }], map: { k: 'v', n: undefined }, a: 1 })).toBe(false)
  expect(await writeStatus(client, objectWith(undefined), {})).toBe(false)
  expect(patches).toEqual([])
})

test('only what differs is written, on top of the version it was computed from', async () => {
  const { client, patches } = recordingClient()
  const status = { same: 1, changed: 1, removed: 1, map: { same: 1, changed: 1, removed: 1 }, list: [1, 2] }
  const next = { same: 1, changed: 2, map: { same: 1, changed: 2, added: { deep: true } }, list: [1], added: 0 }
  expect(await writeStatus(client, objectWith(status), next)).toBe(true)
  expect(patches).toEqual([
    {
      metadata: { resourceVersion: '7' },
      status: { changed: 2, removed: null, map: { changed: 2, removed: null, added: { deep: true } }, list: [1], added: 0 },
    },
  ])
})

test('fields of others are neither changed nor removed', async () => {
  const { client, patches } = recordingClient()
  const object = objectWith({ mine: 1, old: 1, theirs: 1 })
  await writeStatus(client, object, { mine: 2, theirs: 2, unknown: 3 }, { owned: ['mine', 'old'] })
  expect(patches.map((patch) => patch.status)).toEqual([{ mine: 2, old: null }])
})

test('a list element that differs anywhere replaces the list', async () => {
  const { client, patches } = recordingClient()
  await writeStatus(client, objectWith({ conditions: [{ type: 'Ready', status: 'True' }] }), {
    conditions: [{ type: 'Ready', status: 'True', reason: 'x' }],
  })
  expect(patches.map((patch) => patch.status)).toEqual([{ conditions: [{ type: 'Ready', status: 'True', reason: 'x' }] }])
})

test('a writer builds on its own last write while the cache lags', async () => {
  const { client, patches } = recordingClient()
  const writer = createStatusWriter(client)
  const cached = objectWith({ a: 1 })
  expect(await writer.write(cached, { a: 2 })).toBe(true)
  expect(await writer.write(cached, { a: 2 })).toBe(false)
  expect([writer.differs(cached, { a: 2 }), writer.differs(cached, { a: 3 })]).toEqual([false, true])
  expect(writer.latest(cached).metadata.resourceVersion).toBe('8')
  expect(await writer.write(cached, { a: 3 })).toBe(true)
  expect(patches.map((patch) => patch.metadata?.resourceVersion)).toEqual(['7', '8'])
})

test('a write on top of a newer version is remembered for the cached object', async () => {
  const { client, patches } = recordingClient()
  const writer = createStatusWriter(client)
  const cached = objectWith({ a: 1 })
  const newer = { ...objectWith({ a: 1 }), metadata: { name: 'a', namespace: 'ns', resourceVersion: '20' } }
  expect(await writer.write(newer, { a: 2 }, { cached })).toBe(true)
  expect(writer.latest(cached)).toMatchObject({ status: { a: 2 } })
  expect(await writer.write(cached, { a: 2 })).toBe(false)
  expect(patches).toHaveLength(1)
})

test('an object that is gone has no status to write', async () => {
  const patch = async () => {
    throw new ApiError({ status: 404, reason: 'NotFound', message: 'bundles "a" not found' })
  }
  expect(await writeStatus({ patch } as unknown as KubeClient, objectWith({}), { a: 1 })).toBe(false)
})
