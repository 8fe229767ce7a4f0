import { expect, test } from 'vitest'
import { ApiError } from '../kube/errors.ts'
import type { KubeObject, ObjectRef } from '../kube/types.ts'
import { onNewest } from './on-newest.ts'

const object = (resourceVersion: string, uid = 'u'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'n', uid, resourceVersion },
})
const conflict = () => new ApiError({ status: 409, reason: 'Conflict', message: 'changed meanwhile' })

/** What an API server has, read by read. */
function serverWith(...versions: (KubeObject | undefined)[]) {
  const asked: ObjectRef[] = []
  const find = async (ref: ObjectRef) => versions[Math.min(asked.push(ref), versions.length) - 1]
  return { asked, client: { find: find as never } }
}

test('without a conflict nothing is read', async () => {
  const { asked, client } = serverWith(object('2'))
  expect(await onNewest(client, object('1'), async ({ metadata }) => metadata.resourceVersion)).toBe('1')
  expect(asked).toEqual([])
})

test('after a conflict it goes on with what the API server has', async () => {
  const { asked, client } = serverWith(object('2'), object('3'))
  const tried: unknown[] = []
  const result = await onNewest(client, object('1'), async ({ metadata }) => {
    if (tried.push(metadata.resourceVersion) < 3) throw conflict()
    return 'written'
  })
  expect([result, tried]).toEqual(['written', ['1', '2', '3']])
  expect(asked[0]).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'n' })
})

test.each([
  ['is gone', undefined],
  ['is another one by now', object('2', 'other')],
])('an object that %s is left alone', async (_, live) => {
  const { client } = serverWith(live)
  expect(await onNewest(client, object('1'), () => Promise.reject(conflict()))).toBeUndefined()
})

test('a conflict that does not end is thrown, and other errors are at once', async () => {
  const { asked, client } = serverWith(object('2'))
  await expect(onNewest(client, object('1'), () => Promise.reject(conflict()))).rejects.toThrow('changed meanwhile')
  expect(asked).toHaveLength(4)
  await expect(onNewest(client, object('1'), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(asked).toHaveLength(4)
})
