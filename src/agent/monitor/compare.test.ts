import { expect, test } from 'vitest'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError, ConnectionError } from '../../lib/kube/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type Comparison, compare } from './compare.ts'

type Answer = (object: KubeObject) => unknown

const make = (spec: object, resourceVersion?: string) =>
  ({
    apiVersion: 'example.org/v1',
    kind: 'Thing',
    metadata: { name: 'x', ...(resourceVersion ? { resourceVersion } : {}) },
    spec,
  }) as unknown as KubeObject
const refuse = (status: number) => () => {
  throw new ApiError({ status, reason: 'Refused', message: 'refused' })
}

function scene(apply: Answer, update: Answer = refuse(422)) {
  const requests: string[] = []
  const answer = (name: string, how: Answer) => async (object: KubeObject) => {
    requests.push(name)
    return how(object)
  }
  const client = { apply: answer('apply', apply), update: answer('update', update) } as unknown as KubeClient
  const look = (desired: object, live: object, before?: Comparison) =>
    compare({ desired: make(desired), live: make(live, '1'), patches: [], replicasScaled: false, client, before })
  return { requests, client, look }
}

test('what is contained in the live object needs no request', async () => {
  const { requests, look } = scene(refuse(500))
  expect(await look({ a: 1, n: null }, { a: 1, b: 2 })).toEqual({})
  expect(requests).toEqual([])
})

test('what the API server makes of a manifest is no drift', async () => {
  const { look } = scene(() => make({ cpu: '1' }, '1'))
  expect((await look({ cpu: '1000m' }, { cpu: '1' }))?.patch).toBeUndefined()
})

test('a change is reported as the patch that undoes it', async () => {
  const { look } = scene(() => make({ a: 1, c: 3 }, '1'))
  expect((await look({ a: 1 }, { a: 2, b: 2 }))?.patch).toBe('{"spec":{"a":1,"b":null,"c":3}}')
})

test('the patch is written with its keys in order, as other agents write it', async () => {
  const { look } = scene(() => make({ list: [{ name: 'x', a: { d: 1, c: '<&>' } }] }, '1'))
  expect((await look({ list: [1] }, { list: [] }))?.patch).toBe('{"spec":{"list":[{"a":{"c":"\\u003c\\u0026\\u003e","d":1},"name":"x"}]}}')
  const exact = scene(() => make({ n: 12345678901234567890n }, '1'))
  expect((await exact.look({ n: 1 }, { n: 2 }))?.patch).toBe('{"spec":{"n":12345678901234567890}}')
})

test('what is added to an element of a list is a change where the cluster does not merge it', async () => {
  const { requests, client } = scene((object) => ({ ...object, metadata: { ...object.metadata, resourceVersion: '1' } }))
  const look = (apiVersion: string, kind: string, list: string) => {
    const [desired, live] = [{ [list]: [{ to: 'a' }] }, { [list]: [{ to: 'a', also: 'b' }] }].map((spec) => ({
      ...make(spec, '1'),
      apiVersion,
      kind,
    })) as [KubeObject, KubeObject]
    return compare({ desired, live, patches: [], replicasScaled: false, client })
  }
  expect(await look('networking.k8s.io/v1', 'NetworkPolicy', 'ingress')).toMatchObject({ patch: '{"spec":{"ingress":[{"to":"a"}]}}' })
  expect(await look('apps/v1', 'Deployment', 'tolerations')).toMatchObject({ patch: '{"spec":{"tolerations":[{"to":"a"}]}}' })
  expect(requests).toEqual(['apply', 'apply'])
  expect(await look('apps/v1', 'Deployment', 'containers')).toEqual({})
  expect(await look('networking.istio.io/v1', 'Gateway', 'servers')).toEqual({})
  expect(requests).toEqual(['apply', 'apply'])
})

test('the same question is not asked twice', async () => {
  const { requests, look } = scene(() => make({ cpu: '1' }, '1'))
  const first = await look({ cpu: '1000m' }, { cpu: '1' })
  expect(await look({ cpu: '1000m' }, { cpu: '1' }, first)).toBe(first)
  await look({ cpu: '1000m' }, { cpu: '2' }, first)
  expect(requests).toEqual(['apply', 'apply'])
})

test('an answer about another version of the object is no answer', async () => {
  expect(await scene(() => make({ a: 1 }, '2')).look({ a: 1 }, { a: 2 })).toBeUndefined()
  expect(await scene(refuse(500), () => make({ a: 1 }, '2')).look({ a: 1 }, { a: 2 })).toBeUndefined()
  expect(await scene(refuse(422), refuse(409)).look({ a: 1 }, { a: 2 })).toBeUndefined()
  expect(await scene(refuse(404), refuse(404)).look({ a: 1 }, { a: 2 })).toBeUndefined()
})

test('an object that cannot be applied is asked for as an update', async () => {
  const { requests, look } = scene(refuse(500), () => make({ a: 1 }, '1'))
  expect((await look({ a: 1, unknown: 'x' }, { a: 1 }))?.patch).toBeUndefined()
  expect(requests).toEqual(['apply', 'update'])
})

test('a part that excludes what stands there now is asked for in its place', async () => {
  const live = { volumes: [{ name: 'v', configMap: { name: 'x' } }] }
  const oneSource = (object: KubeObject) => {
    const [volume] = (object as unknown as { spec: typeof live }).spec.volumes
    return Object.keys(volume ?? {}).length > 2 ? refuse(422)() : object
  }
  const { requests, look } = scene(refuse(422), oneSource)
  const patch = '{"spec":{"volumes":[{"emptyDir":{},"name":"v"}]}}'
  expect((await look({ volumes: [{ name: 'v', emptyDir: {} }] }, live))?.patch).toBe(patch)
  expect(requests).toEqual(['apply', 'update', 'update'])
})

test('where no dry run is possible, forms of the same amount are no drift, and real changes are', async () => {
  const { look } = scene(refuse(403), refuse(403))
  expect((await look({ cpu: '1000m', off: false }, { cpu: '1', more: 1 }))?.patch).toBeUndefined()
  expect((await look({ cpu: '1000m', a: 1 }, { cpu: '1', a: 2 }))?.patch).toBe('{"spec":{"a":1}}')
})

test('trouble of the cluster is no finding', async () => {
  await expect(scene(refuse(503)).look({ a: 1 }, { a: 2 })).rejects.toThrow('refused')
  await expect(scene(refuse(500), refuse(500)).look({ a: 1 }, { a: 2 })).rejects.toThrow('refused')
  const broken = () => {
    throw new ConnectionError('no way', 'ECONNREFUSED')
  }
  await expect(scene(broken).look({ a: 1 }, { a: 2 })).rejects.toThrow('no way')
})
