import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { KubeObject } from '../lib/kube/types.ts'
import { CONFIG_MAP, DEPLOYMENT, roleObject, secretObject } from './kinds.ts'
import { patchTo, withRecord } from './set-merge.ts'

const APPLIED = 'objectset.rio.cattle.io/applied'
const map = (data: Record<string, string>, more: Partial<KubeObject['metadata']> = {}) => ({
  ...CONFIG_MAP,
  metadata: { name: 'm', namespace: 'ns', ...more },
  data,
})
const deployment = (spec: object) => ({ ...DEPLOYMENT, metadata: { name: 'd', namespace: 'ns' }, spec }) as KubeObject
const recorded = (object: KubeObject) =>
  JSON.parse(gunzipSync(Buffer.from(object.metadata.annotations?.[APPLIED] ?? '', 'base64')).toString())
/** The patch without the record that comes with every one. */
function changes(desired: KubeObject, live: KubeObject): object | undefined {
  const patch = patchTo(desired, live) as { metadata: { annotations: Record<string, string> } } | undefined
  if (!patch) return undefined
  const { [APPLIED]: record, ...annotations } = patch.metadata.annotations
  expect(record).toBeTruthy()
  const { annotations: _, ...metadata } = patch.metadata
  const rest = { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) }
  const { metadata: __, ...body } = patch
  return { ...body, ...(Object.keys(rest).length > 0 ? { metadata: rest } : {}) }
}

test('an object that is as it should be needs no patch, whatever others have added', () => {
  const live = map({ a: '1', theirs: 'x' }, { labels: { theirs: 'x' }, annotations: { note: 'x' } })
  expect(patchTo(map({ a: '1' }), live)).toBeUndefined()
})

test('what differs is patched, and only that', () => {
  expect(changes(map({ a: '2', b: '1' }), map({ a: '1', b: '1', theirs: 'x' }))).toEqual({ data: { a: '2' } })
})

test('what was applied before and is no longer wanted goes', () => {
  const live = withRecord(map({ old: '1', a: '1' }, { labels: { old: '1' } }))
  expect(changes(map({ a: '1' }), { ...live, data: { ...live.data, theirs: 'x' } } as KubeObject)).toEqual({
    data: { old: null },
    metadata: { labels: { old: null } },
  })
})

test('a field that is gone already needs no patch', () => {
  const live = withRecord(map({ old: '1', a: '1' }))
  expect(patchTo(map({ a: '1' }), { ...live, data: { a: '1' } } as KubeObject)).toBeUndefined()
})

test('defaults in the items of lists are no difference, and neither are texts that the API server leaves out', () => {
  const want = deployment({
    template: {
      spec: {
        containers: [
          {
            name: 'c',
            env: [
              { name: 'EMPTY', value: '' },
              { name: 'A', value: '1' },
            ],
          },
        ],
      },
    },
  })
  const live = deployment({
    replicas: 1,
    template: {
      spec: {
        dnsPolicy: 'ClusterFirst',
        containers: [{ name: 'c', terminationMessagePath: '/x', env: [{ name: 'EMPTY' }, { name: 'A', value: '1' }] }],
      },
    },
  })
  expect(patchTo(want, live)).toBeUndefined()
})

test('a list is replaced as a whole when an item changes, comes or goes', () => {
  const live = deployment({ containers: [{ name: 'c', image: 'a', policy: 'x' }] })
  for (const containers of [[{ name: 'c', image: 'b' }], [{ name: 'c', image: 'a' }, { name: 'd' }], []])
    expect(changes(deployment({ containers }), live)).toEqual({ spec: { containers } })
})

test('false and 0 are values, not absence', () => {
  expect(changes({ ...map({}), automount: false } as KubeObject, map({}))).toEqual({ automount: false })
})

test('rights that nobody asked for are taken back', () => {
  const role = roleObject({ name: 'r', namespace: 'ns' }, [
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'] },
  ])
  expect(patchTo(role, { ...role })).toBeUndefined()
  const wider = { ...role, rules: [...role.rules, { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }
  expect(changes(role, wider)).toEqual({ rules: role.rules })
  const unnamed = roleObject({ name: 'r', namespace: 'ns' }, [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }])
  expect(changes(unnamed, role)).toEqual({ rules: unnamed.rules })
})

test('whom a policy or a budget is about is not narrowed or widened by others', () => {
  const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'p', namespace: 'ns' } }
  const open = { ...policy, spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] } }
  expect(patchTo(open, open)).toBeUndefined()
  const narrow = { podSelector: { matchLabels: { app: 'x' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] }
  expect(changes(open, { ...open, spec: narrow } as KubeObject)).toEqual({ spec: { podSelector: { matchLabels: null }, ingress: [{}] } })
  const budget = (spec: object) => ({ ...policy, apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', spec }) as KubeObject
  expect(changes(budget({ minAvailable: 1 }), budget({ maxUnavailable: 0 }))).toEqual({ spec: { minAvailable: 1, maxUnavailable: null } })
})

test('a missing owner is added to those that are there, on top of the version that was looked at', () => {
  const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'Namespace', name: uid, uid })
  const live = map({}, { ownerReferences: [owner('theirs')], resourceVersion: '7' })
  expect(changes(map({}, { ownerReferences: [owner('ours')] }), live)).toEqual({
    metadata: { resourceVersion: '7', ownerReferences: [owner('theirs'), owner('ours')] },
  })
})

test('the record holds no secret, and long texts only in part', () => {
  const secret = withRecord(secretObject({ name: 's', namespace: 'ns' }, { token: 'hush' }))
  expect(recorded(secret).data).toEqual({ token: '' })
  expect(recorded(withRecord(map({ a: 'x'.repeat(1000) }))).data.a).toHaveLength(64)
})

test('a record that cannot be read counts as none', () => {
  for (const text of ['garbage', '', '{', 'H4sIAAAA'])
    expect(patchTo(map({ a: '1' }), map({ a: '1', b: '2' }, { annotations: { [APPLIED]: text } }))).toBeUndefined()
})

test('the record of older releases, plain JSON, is understood', () => {
  const live = map({ a: '1', old: '1' }, { annotations: { [APPLIED]: JSON.stringify({ data: { a: '1', old: '1' } }) } })
  expect(changes(map({ a: '1' }), live)).toEqual({ data: { old: null } })
})
