import { expect, test } from 'vitest'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createNewest } from './newest.ts'
import { deployment, fakeInformer } from './testing/objects.ts'

const version = (resourceVersion: string, metadata = {}) => deployment({}, {}, { resourceVersion, ...metadata })

test('a write is seen before the cache has it, and forgotten when the cache has it', () => {
  const informer = fakeInformer([version('5')])
  const newest = createNewest(informer, createFakeClock())
  newest.wrote(version('9'))
  expect(newest.get('app', 'cluster-one')?.metadata.resourceVersion).toBe('9')
  informer.put(version('7'))
  expect(newest.of(version('7')).metadata.resourceVersion).toBe('9')
  informer.put(version('10'))
  expect(newest.get('app', 'cluster-one')?.metadata.resourceVersion).toBe('10')
})

test('a write that the cache had first is not remembered', () => {
  const informer = fakeInformer([version('9')])
  const newest = createNewest(informer, createFakeClock())
  newest.wrote(version('9'))
  informer.remove(version('9'))
  expect(newest.get('app', 'cluster-one')).toBeUndefined()
})

test('what was created is there until it is deleted, or until it should have been seen', async () => {
  const clock = createFakeClock()
  const informer = fakeInformer<ReturnType<typeof version>>()
  const newest = createNewest(informer, clock)
  newest.wrote(version('3', { uid: 'a' }))
  expect(newest.unseen()).toHaveLength(1)
  informer.remove(version('4', { uid: 'other' }))
  expect(newest.get('app', 'cluster-one')).toBeDefined()
  informer.remove(version('5', { uid: 'a' }))
  expect([newest.get('app', 'cluster-one'), newest.unseen()]).toEqual([undefined, []])
  newest.wrote(version('6', { uid: 'b' }))
  await clock.advance(31_000)
  expect([newest.unseen(), newest.get('app', 'cluster-one')]).toEqual([[], undefined])
})

test('what was deleted is on its way out, and what comes after it under the same name is not', () => {
  const informer = fakeInformer([version('5', { uid: 'a' })])
  const newest = createNewest(informer, createFakeClock())
  newest.deleted(version('5', { uid: 'a' }))
  expect(newest.get('app', 'cluster-one')?.metadata.deletionTimestamp).toBeDefined()
  informer.remove(version('6', { uid: 'a' }))
  informer.put(version('8', { uid: 'b' }))
  expect(newest.get('app', 'cluster-one')?.metadata.deletionTimestamp).toBeUndefined()
})
