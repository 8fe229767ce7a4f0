import { expect, test } from 'vitest'
import { stampObjects } from './stamp.ts'

const marks = { labels: { hash: '1' }, annotations: { id: 'x' }, deleteCRDs: false }
const object = (kind: string, metadata: object = {}) => ({ apiVersion: 'v1', kind, metadata: { name: 'a', ...metadata } })
const never = () => Promise.reject(new Error('not to be asked'))
const namespaced = async ({ kind }: { kind: string }) => kind !== 'ClusterRole'

test('adds the marks to those an object has', async () => {
  const [stamped] = await stampObjects(
    [object('ConfigMap', { labels: { mine: 'kept' }, annotations: { note: 'kept' }, namespace: 'n' })],
    marks,
    never,
  )
  expect(stamped?.metadata).toEqual({
    name: 'a',
    namespace: 'n',
    labels: { mine: 'kept', hash: '1' },
    annotations: { note: 'kept', id: 'x' },
  })
})

test('numbers and booleans among labels and annotations become text', async () => {
  const metadata = { labels: { n: 5, t: 'x' }, annotations: { scrape: true, big: 2n ** 60n, port: 8080 } }
  const [stamped] = await stampObjects([object('Service', metadata)], marks, never)
  expect(stamped?.metadata).toMatchObject({
    labels: { n: '5', t: 'x', hash: '1' },
    annotations: { scrape: 'true', big: '1152921504606846976', port: '8080', id: 'x' },
  })
})

test('definitions are kept by Helm, unless they are to go with the release', async () => {
  const objects = [object('CustomResourceDefinition'), object('ConfigMap')]
  const kept = await stampObjects(objects, marks, never)
  expect(kept.map(({ metadata }) => metadata.annotations)).toEqual([{ id: 'x', 'helm.sh/resource-policy': 'keep' }, { id: 'x' }])
  const removed = await stampObjects(objects, { ...marks, deleteCRDs: true }, never)
  expect(removed[0]?.metadata.annotations).toEqual({ id: 'x' })
})

test('a forced namespace holds for every object', async () => {
  const stamped = await stampObjects(
    [object('ConfigMap', { namespace: 'other' }), object('Secret')],
    { ...marks, namespace: 'here' },
    namespaced,
  )
  expect(stamped.map(({ metadata }) => metadata.namespace)).toEqual(['here', 'here'])
})

test('a forced namespace and an object that lives in none do not go together', async () => {
  await expect(stampObjects([object('ClusterRole')], { ...marks, namespace: 'here' }, namespaced)).rejects.toThrow(
    'invalid cluster scoped object [name=a kind=ClusterRole apiVersion=v1] found. targetNamespace or namespace forbids cluster-scoped resources: where they are wanted, switch to defaultNamespace',
  )
})
