import { expect, test } from 'vitest'
import { type Copyable, type CopyRequest, digestCopyable, owningDeployments } from './copied-objects.ts'
import { type CopyCaches, planCopies } from './plan-copies.ts'
import { requestedCopies } from './requested-copies.ts'
import { deployment } from './testing/objects.ts'

const bd = deployment()
const request: CopyRequest = { kind: 'ConfigMap', name: 'a' }

function object(
  namespace: string,
  data: Record<string, string>,
  rest: { owners?: string[]; labels?: Record<string, string>; type?: string; kind?: string; name?: string } = {},
): Copyable {
  const { owners, labels = {}, type, kind = 'ConfigMap', name = 'a' } = rest
  const ownerReferences = owners?.map((uid) => ({ apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'BundleDeployment', name: uid, uid }))
  return digestCopyable({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace, labels, ...(ownerReferences ? { ownerReferences } : {}) },
    data,
    ...(type ? { type } : {}),
  })
}

function caches(objects: Copyable[], foreign: string[] = []): CopyCaches {
  return {
    find: (kind, name, namespace) =>
      objects.find((one) => one.kind === kind && one.metadata.name === name && one.metadata.namespace === namespace),
    ownedBy: (uid) => objects.filter((one) => owningDeployments(one).includes(uid)),
    isOfSameWorkspace: (name) => !foreign.includes(name),
  }
}

test('a copy that is there and equal is left alone', () => {
  const plan = planCopies(
    bd,
    'ws',
    [request],
    caches([
      object('ws', { x: '1' }, { labels: { team: 'blue' } }),
      object('cluster-one', { x: '1' }, { owners: ['deployment'], labels: { team: 'blue', more: 'ok' } }),
    ]),
  )
  expect(plan).toMatchObject({ writes: [], leftovers: [], changes: false, problems: [] })
})

test.each([
  ['missing', [], false],
  ['of other data', [object('cluster-one', { x: '2' }, { owners: ['deployment'] })], true],
  ['without a label', [object('cluster-one', { x: '1' }, { owners: ['deployment'], labels: {} })], false],
  ['of another deployment beside us', [object('cluster-one', { x: '1' }, { owners: ['other'], labels: { team: 'blue' } })], false],
])('a copy that is %s is written', (_, there, changes) => {
  const plan = planCopies(bd, 'ws', [request], caches([object('ws', { x: '1' }, { labels: { team: 'blue' } }), ...there]))
  expect(plan.writes).toHaveLength(1)
  expect(plan.changes).toBe(changes)
})

test('the state changes with any source', () => {
  const state = (data: Record<string, string>, labels = {}) =>
    planCopies(bd, 'ws', [request], caches([object('ws', data, { labels })])).state
  expect(new Set([state({ x: '1' }), state({ x: '2' }), state({ x: '1' }, { a: 'b' })]).size).toBe(3)
  expect(state({ x: '1' })).toBe(state({ x: '1' }, { 'kubectl.kubernetes.io/last': 'y' }))
  expect(planCopies(bd, 'ws', [], caches([])).state).toBe('')
})

test.each([
  ['somebody else made', object('cluster-one', {})],
  ['another workspace copied', object('cluster-one', {}, { owners: ['foreign'] })],
])('what %s is not touched', (_, there) => {
  const plan = planCopies(bd, 'ws', [request], caches([object('ws', { x: '1' }), there], ['foreign']))
  expect(plan.writes).toEqual([])
  expect(plan.problems).toEqual(['ConfigMap cluster-one/a is in the way of a copy from ws: rename one of them'])
})

test('the secret with the values of a deployment is never taken for a copy', () => {
  const values = object(
    'cluster-one',
    {},
    { owners: ['deployment'], kind: 'Secret', name: 'app', type: 'fleet.cattle.io/bundle-deployment/v1alpha1' },
  )
  const plan = planCopies(bd, 'ws', [{ kind: 'Secret', name: 'app' }], caches([object('ws', {}, { kind: 'Secret', name: 'app' }), values]))
  expect([plan.writes, plan.leftovers, plan.problems.length]).toEqual([[], [], 1])
})

test('a copy of another type is replaced', () => {
  const plan = planCopies(
    bd,
    'ws',
    [{ kind: 'Secret', name: 'a' }],
    caches([
      object('ws', {}, { kind: 'Secret', type: 'x/y' }),
      object('cluster-one', {}, { kind: 'Secret', type: 'Opaque', owners: ['deployment'] }),
    ]),
  )
  expect(plan.writes.map(({ replaces }) => replaces)).toEqual([true])
})

test('copies that nobody asks for any more are left over; those whose source is gone stay', () => {
  const there = [object('cluster-one', {}, { owners: ['deployment'] })]
  expect(planCopies(bd, 'ws', [], caches(there)).leftovers).toEqual(there)
  expect(planCopies(bd, 'ws', [request], caches(there))).toMatchObject({ leftovers: [], problems: [] })
  expect(planCopies(bd, 'ws', [request], caches([])).problems).toEqual([
    'waiting for ConfigMap ws/a, which is to be copied to the clusters',
  ])
})

test('both versions of a deployment are asked for, and the credentials of the contents', () => {
  const both = requestedCopies({
    options: { downstreamResources: [{ kind: 'SECRET', name: 'a' }] },
    stagedOptions: {
      downstreamResources: [
        { kind: 'Secret', name: 'a' },
        { kind: 'configmap', name: 'b' },
        { kind: 'Pod', name: 'c' },
      ],
    },
  })
  expect(both.requests.map(({ kind, name }) => `${kind}/${name}`)).toEqual(['Secret/a', 'ConfigMap/b'])
  expect(both.problems).toEqual(['unsupported kind for downstreamResources: "Pod" ("c"), use Secret or ConfigMap with a name'])
  const internal = { 'fleet.cattle.io/bundle-internal-secret': 'true' }
  expect(requestedCopies({ ociContents: true, deploymentID: 's-1:x', stagedDeploymentID: 's-2:x' }).requests).toEqual([
    { kind: 'Secret', labels: internal, name: 's-1', type: 'fleet.cattle.io/bundle-oci-storage/v1alpha1' },
    { kind: 'Secret', labels: internal, name: 's-2', type: 'fleet.cattle.io/bundle-oci-storage/v1alpha1' },
  ])
  expect(requestedCopies({ helmChartOptions: { helmOpSecretName: 'pull' } }).requests).toEqual([
    { kind: 'Secret', labels: internal, name: 'pull', type: 'fleet.cattle.io/bundle-helmops-access/v1alpha1' },
  ])
})
