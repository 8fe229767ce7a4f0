import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { KubeObject } from '../lib/kube/types.ts'
import { NAMESPACE, SECRET } from './kinds.ts'
import { token } from './objects.testing.ts'
import { gvkText, hashOfSet, recordedOwner, stamp } from './set-identity.ts'

const secret = (namespace: string): KubeObject => ({ ...SECRET, metadata: { name: 's', namespace } })
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

test('kinds of the core group begin with a slash', () => {
  expect(gvkText(NAMESPACE)).toBe('/v1, Kind=Namespace')
  expect(gvkText(token())).toBe('fleet.cattle.io/v1alpha1, Kind=ClusterRegistrationToken')
})

test('the hash is over id, kind, name and namespace of the owner', () => {
  expect(hashOfSet({ id: 'set' })).toBe(sha1('set'))
  expect(hashOfSet({ id: 'set', owner: token() })).toBe(sha1('setfleet.cattle.io/v1alpha1, Kind=ClusterRegistrationTokenjoinws'))
})

test('an owner is recorded on every member, and owns those beside it', () => {
  const set = { id: 'set', owner: token() }
  const beside = stamp(secret('ws'), set)
  expect(beside.metadata.ownerReferences).toEqual([
    {
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'ClusterRegistrationToken',
      name: 'join',
      uid: 'token-uid',
      controller: false,
      blockOwnerDeletion: false,
    },
  ])
  const elsewhere = stamp(secret('other'), set)
  expect(elsewhere.metadata.ownerReferences).toBeUndefined()
  for (const member of [beside, elsewhere])
    expect(recordedOwner(member)).toEqual({
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'ClusterRegistrationToken',
      name: 'join',
      namespace: 'ws',
    })
})

test('an owner without a namespace owns in every namespace', () => {
  const owner = { ...NAMESPACE, metadata: { name: 'ws', uid: 'u' } }
  const member = stamp(secret('ws'), { id: 'set', owner })
  expect(member.metadata.annotations?.['objectset.rio.cattle.io/owner-namespace']).toBe('')
  expect(member.metadata.ownerReferences?.map(({ kind, name }) => [kind, name])).toEqual([['Namespace', 'ws']])
  expect(recordedOwner(member)).toEqual({ apiVersion: 'v1', kind: 'Namespace', name: 'ws' })
})

test('an object that names no owner has none', () => {
  expect(recordedOwner(stamp(secret('ws'), { id: 'set' }))).toBeUndefined()
  const broken = {
    ...SECRET,
    metadata: { name: 's', annotations: { 'objectset.rio.cattle.io/owner-gvk': 'nonsense', 'objectset.rio.cattle.io/owner-name': 'x' } },
  }
  expect(recordedOwner(broken)).toBeUndefined()
})
