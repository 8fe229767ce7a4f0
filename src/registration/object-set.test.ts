import { expect, test } from 'vitest'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { bindingObject, NAMESPACE, secretObject } from './kinds.ts'
import { changesAnything, type LiveSet, planSet } from './object-set.ts'
import { stamp } from './set-identity.ts'
import { withRecord } from './set-merge.ts'

const SET = { id: 'set' }
const secret = (name: string, data: Record<string, string> = { a: '1' }, type?: string): KubeObject =>
  secretObject({ name, namespace: 'ns' }, data, type)
const live = (...objects: KubeObject[]): LiveSet => ({
  find: (ref) => objects.find((object) => JSON.stringify(refOf(object)) === JSON.stringify(ref)),
  members: objects.filter(({ metadata }) => metadata.labels),
})
const applied = (object: KubeObject): KubeObject => withRecord(stamp(object, SET))
const names = (objects: readonly KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name)

test('what is missing is created, stamped', () => {
  const plan = planSet(SET, [secret('a')], live())
  expect(names(plan.create)).toEqual(['a'])
  expect(plan.create[0]?.metadata.annotations?.['objectset.rio.cattle.io/id']).toBe('set')
})

test('a set that is as it should be changes nothing', () => {
  expect(changesAnything(planSet(SET, [secret('a')], live(applied(secret('a')))))).toBe(false)
})

test('members that are no longer wanted are removed', () => {
  const plan = planSet(SET, [secret('a')], live(applied(secret('a')), applied(secret('b'))))
  expect(names(plan.remove)).toEqual(['b'])
})

test('namespaces, what is marked to stay and what is going already are not removed', () => {
  const kept = applied(secret('kept'))
  const plan = planSet(
    SET,
    [],
    live(
      applied({ ...NAMESPACE, metadata: { name: 'ns' } }),
      { ...kept, metadata: { ...kept.metadata, labels: { ...kept.metadata.labels, 'objectset.rio.cattle.io/prune': 'false' } } },
      { ...applied(secret('going')), metadata: { ...applied(secret('going')).metadata, deletionTimestamp: 'now' } },
    ),
  )
  expect(plan.remove).toEqual([])
})

test('an object without a stamp is taken over', () => {
  const plan = planSet(SET, [secret('a')], live(secret('a')))
  expect(plan.patch.map(({ live: { metadata } }) => metadata.name)).toEqual(['a'])
})

test('an object of another set is taken over, or left alone when asked to', () => {
  const other = withRecord(stamp(secret('a'), { id: 'other' }))
  expect(planSet(SET, [secret('a')], live(other)).patch).toHaveLength(1)
  expect(changesAnything(planSet(SET, [secret('a')], { ...live(other), members: [] }, { adopt: false }))).toBe(false)
})

test('a namespace stays with the set that had it first', () => {
  const namespace = { ...NAMESPACE, metadata: { name: 'ns' } }
  expect(planSet(SET, [namespace], { find: () => stamp(namespace, { id: 'other' }), members: [] }).patch).toEqual([])
  expect(planSet(SET, [namespace], { find: () => namespace, members: [] }).patch).toHaveLength(1)
})

test('what cannot be changed is replaced: the type of a secret, the role of a binding', () => {
  expect(planSet(SET, [secret('a', {}, 'x')], live(applied(secret('a')))).replace).toHaveLength(1)
  const binding = (role: string): KubeObject =>
    bindingObject({ name: 'b', namespace: 'ns' }, { kind: 'Role', name: role }, { name: 'sa', namespace: 'ns' })
  expect(planSet(SET, [binding('new')], live(applied(binding('old')))).replace).toHaveLength(1)
})

test('an object that is being deleted is waited for', () => {
  const going = applied(secret('a'))
  const plan = planSet(SET, [secret('a')], live({ ...going, metadata: { ...going.metadata, deletionTimestamp: 'now' } }))
  expect(names(plan.leaving)).toEqual(['a'])
})
