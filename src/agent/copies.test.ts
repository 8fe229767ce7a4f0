import { expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { ApiError } from '../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { copyResources, deleteCopies, findCopies } from './copies.ts'

const keyOf = ({ kind, namespace = '', name }: { kind: string; namespace?: string | undefined; name: string }) =>
  `${kind} ${namespace}/${name}`

/** A client over a few objects that notes what is written. */
function clientOf(...objects: object[]) {
  const stored = new Map((objects as KubeObject[]).map((object) => [keyOf({ kind: object.kind, ...object.metadata }), object]))
  const writes: string[] = []
  const put = (verb: string) => async (object: KubeObject) => {
    const key = keyOf({ kind: object.kind, ...object.metadata })
    writes.push(`${verb} ${key}`)
    stored.set(key, object)
    return object
  }
  const find = async (ref: ObjectRef) => stored.get(keyOf(ref))
  const client = {
    find,
    async get(ref: ObjectRef) {
      const object = await find(ref)
      if (!object) throw new ApiError({ status: 404, reason: 'NotFound', message: 'missing' })
      return object
    },
    create: put('create'),
    update: put('update'),
    async delete(ref: ObjectRef) {
      writes.push(`delete ${keyOf(ref)}`)
      return stored.delete(keyOf(ref))
    },
    list: async ({ kind }: { kind: string }) => ({ items: [...stored.values()].filter((object) => object.kind === kind) }),
  } as unknown as KubeClient
  return { client, writes, stored }
}

const secret = (data: object, metadata: object = {}, type = 'Opaque') => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type,
  metadata: { name: 's', namespace: 'cluster-a', ...metadata },
  data,
})
const deployment = { metadata: { name: 'web', namespace: 'cluster-a' } } as unknown as BundleDeployment
const options = { defaultNamespace: 'apps', downstreamResources: [{ kind: 'secret', name: 's' }] }

test('copies with marks, creates the namespace, and writes nothing the second time', async () => {
  const original = secret(
    { a: '1' },
    { labels: { l: '1' }, annotations: { n: '1', 'objectset.rio.cattle.io/id': 'x' }, ownerReferences: [{}], uid: 'u' },
  )
  const hub = clientOf(original)
  const down = clientOf()
  expect(await copyResources(hub.client, down.client, deployment, options)).toBe(true)
  expect(down.writes).toEqual(['create Namespace /apps', 'create Secret apps/s'])
  expect(down.stored.get('Secret apps/s')).toEqual({
    ...secret({ a: '1' }),
    metadata: { name: 's', namespace: 'apps', labels: { l: '1', 'fleet.cattle.io/bundledeployment': 'web' }, annotations: { n: '1' } },
  })
  expect(await copyResources(hub.client, down.client, deployment, options)).toBe(false)
  expect(down.writes).toHaveLength(2)
  expect(hub.writes).toEqual([])
})

test('a change is copied, another type makes the copy anew', async () => {
  const down = clientOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } })
  await copyResources(clientOf(secret({ a: '1' })).client, down.client, deployment, options)
  expect(await copyResources(clientOf(secret({ a: '2' })).client, down.client, deployment, options)).toBe(true)
  await copyResources(clientOf(secret({ a: '2' }, {}, 'other')).client, down.client, deployment, options)
  expect(down.writes).toEqual(['create Secret apps/s', 'update Secret apps/s', 'delete Secret apps/s', 'create Secret apps/s'])
})

test('an original that is missing, and a kind that cannot be copied, are named', async () => {
  await expect(copyResources(clientOf().client, clientOf().client, deployment, options)).rejects.toThrow(
    'secret cluster-a/s of downstreamResources is missing on the hub',
  )
  const pods = { downstreamResources: [{ kind: 'Pod', name: 'p' }] }
  await expect(copyResources(clientOf().client, clientOf().client, deployment, pods)).rejects.toThrow(
    'downstreamResources lists the kind Pod',
  )
})

test('nothing to copy is no work', async () => {
  const down = clientOf()
  expect(await copyResources(clientOf().client, down.client, deployment, {})).toBe(false)
  expect(down.writes).toEqual([])
})

test('copies are found and removed wherever they lie', async () => {
  const copy = (kind: string, namespace: string) => ({ apiVersion: 'v1', kind, metadata: { name: 'x', namespace } })
  const down = clientOf(copy('Secret', 'a'), copy('Secret', 'b'), copy('ConfigMap', 'c'))
  await deleteCopies(down.client, await findCopies(down.client, 'web'))
  expect(down.writes).toEqual(['delete Secret a/x', 'delete Secret b/x', 'delete ConfigMap c/x'])
})
