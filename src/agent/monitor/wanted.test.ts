import { expect, test } from 'vitest'
import type { KubeClient } from '../../lib/kube/client.ts'
import { UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { locate, notWanted } from './wanted.ts'

const client = {
  mapping: async ({ apiVersion, kind }: ResourceType) => {
    if (kind === 'Gone') throw new UnknownKindError({ apiVersion, kind })
    return { plural: 'x', namespaced: kind !== 'ClusterRole', verbs: [] }
  },
} as unknown as KubeClient

const object = (kind: string, namespace?: string, fields: object = {}) =>
  ({ apiVersion: 'v1', kind, metadata: { name: 'x', ...(namespace ? { namespace } : {}) }, ...fields }) as KubeObject

async function places(...objects: KubeObject[]) {
  return locate({ objects, client, releaseNamespace: 'here' })
}

test('an object lives where its manifest says, else where the release does', async () => {
  const [a, b] = await places(object('ConfigMap'), object('ConfigMap', 'there'))
  expect(a?.ref.namespace).toBe('here')
  expect(a?.object.metadata.namespace).toBe('here')
  expect(b?.ref.namespace).toBe('there')
})

test('an object that lives in no namespace has none, whatever its manifest says', async () => {
  const [role] = await places(object('ClusterRole', 'there'))
  expect(role?.ref).toEqual({ apiVersion: 'v1', kind: 'ClusterRole', name: 'x' })
  expect(role?.object.metadata).toEqual({ name: 'x' })
})

test('of an object that is there twice the last one counts', async () => {
  const found = await places(object('ConfigMap', undefined, { data: { a: '1' } }), object('ConfigMap', 'here', { data: { a: '2' } }))
  expect(found.map((each) => (each.object as KubeObject & { data?: unknown }).data)).toEqual([{ a: '2' }])
})

test('an object of a kind that is gone has a place all the same', async () => {
  expect(await places(object('Gone'))).toHaveLength(1)
})

test('left over is what the version before had, where the kind is deployed to now', async () => {
  const named = (name: string, namespace: string, labels: Record<string, string> = {}) =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels } }) as KubeObject
  const wanted = await places(named('a', 'here'), named('b', 'there'))
  const previous = [named('a', 'here'), named('old', 'here'), named('pruned', 'here')]
  const leftOver = (...live: KubeObject[]) => notWanted(live, wanted, previous).map(({ name, namespace }) => `${namespace}/${name}`)
  expect(leftOver(named('a', 'here'), named('b', 'there'))).toEqual([])
  expect(leftOver(named('old', 'here'), named('made', 'here'))).toEqual(['here/old'])
  expect(leftOver(named('pruned', 'here', { 'objectset.rio.cattle.io/prune': 'false' }))).toEqual([])
  // copies that an operator made, labels and all
  expect(leftOver(named('a', 'elsewhere'), named('old', 'elsewhere'), named('a', 'there'))).toEqual(['there/a'])
})
