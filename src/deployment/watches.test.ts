import { describe, expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { BundleNamespaceMapping } from '../api/bundle-namespace-mapping.ts'
import type { Caches } from './caches.ts'
import { BY_CONTENT, BY_SOURCE } from './indexes.ts'
import { sourcesOf } from './requested-copies.ts'
import { bundle, cluster, deployment, fakeInformer } from './testing/objects.ts'
import {
  bundleOf,
  bundleOfDeployment,
  bundleOfDeploymentValues,
  bundleOfValues,
  bundlesOfCluster,
  bundlesOfContent,
  bundlesOfCopyable,
  bundlesOfGroup,
  bundlesOfNamespace,
} from './watches.ts'

const apiVersion = 'fleet.cattle.io/v1alpha1'
const mapping: BundleNamespaceMapping = {
  apiVersion,
  kind: 'BundleNamespaceMapping',
  metadata: { name: 'm', namespace: 'lender' },
  bundleSelector: {},
  namespaceSelector: { matchLabels: { lend: 'x' } },
}

function caches(bundles: Bundle[], deployments = [deployment()]): Caches {
  return {
    bundles: fakeInformer(bundles, { [BY_SOURCE]: sourcesOf }),
    deployments: fakeInformer(deployments, { [BY_CONTENT]: ({ metadata }) => [metadata.labels?.['fleet.cattle.io/content-name'] ?? ''] }),
    mappings: fakeInformer([mapping]),
    namespaces: fakeInformer([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ws', labels: { lend: 'x' } } }]),
  } as unknown as Caches
}

const one = bundle({}, { name: 'one' })
const lent = bundle({}, { name: 'lent', namespace: 'lender' })
const elsewhere = bundle({}, { name: 'elsewhere', namespace: 'other' })
const all = caches([one, lent, elsewhere])

describe('bundles', () => {
  test('are looked at for a change of spec or metadata, not for one of their status', () => {
    const old = bundle()
    const changed = (next: Bundle) => bundleOf({ type: 'modified', object: next, old })
    expect(changed({ ...old, status: { observedGeneration: 3 }, metadata: { ...old.metadata, resourceVersion: '2' } })).toEqual([])
    expect(changed(bundle({}, { generation: 2 }))).toEqual(['ws/app'])
    expect(changed(bundle({}, { labels: { a: 'b' } }))).toEqual(['ws/app'])
    expect(changed(bundle({}, { deletionTimestamp: 'now' }))).toEqual(['ws/app'])
  })
})

describe('deployments', () => {
  test('concern their bundle when what its status is made of changes', () => {
    const old = deployment({}, { ready: false })
    const changed = (next: typeof old) => bundleOfDeployment({ type: 'modified', object: next, old }, all)
    expect(changed(deployment({}, { ready: false, display: { state: 'NotReady' }, release: 'ns/app:2' }))).toEqual([])
    expect(changed(deployment({}, { ready: true }))).toEqual(['ws/app'])
    expect(changed(deployment({}, { ready: false }, { generation: 2 }))).toEqual(['ws/app'])
    expect(bundleOfDeployment({ type: 'deleted', object: old }, all)).toEqual(['ws/app'])
  })

  test('that change hands concern both bundles', () => {
    const labels = { 'fleet.cattle.io/bundle-name': 'other', 'fleet.cattle.io/bundle-namespace': 'ws' }
    expect(bundleOfDeployment({ type: 'modified', object: deployment({}, {}, { labels }), old: deployment() }, all)).toEqual([
      'ws/other',
      'ws/app',
    ])
  })

  test('that go concern bundles of the same name, which may have waited for that', () => {
    const labels = { ...deployment().metadata.labels, 'fleet.cattle.io/cluster-namespace': 'ws' }
    const twins = caches([bundle(), bundle({}, { namespace: 'lender' }), bundle({}, { namespace: 'elsewhere' })])
    const object = deployment({}, {}, { labels: { ...labels, 'fleet.cattle.io/bundle-namespace': 'lender' } })
    expect(bundleOfDeployment({ type: 'deleted', object }, twins)).toEqual(['lender/app', 'ws/app'])
    expect(bundleOfDeployment({ type: 'deleted', object: deployment({}, {}, { labels }) }, twins)).toEqual(['ws/app', 'lender/app'])
    expect(bundleOfDeployment({ type: 'added', object }, twins)).toEqual(['lender/app'])
  })
})

describe('clusters', () => {
  test('concern the bundles that may reach them and those that have a deployment there', () => {
    expect(bundlesOfCluster({ type: 'added', object: cluster('one') }, all)).toEqual(['ws/one', 'lender/lent', 'ws/app'])
    expect(bundlesOfCluster({ type: 'modified', object: cluster('two', {}, { namespace: 'x' }), old: cluster('one') }, all)).toContain(
      'ws/app',
    )
  })

  test('do not for a heartbeat', () => {
    const beat = cluster('one', {}, { agent: { lastSeen: 'now' }, summary: { ready: 1 } })
    expect(bundlesOfCluster({ type: 'modified', object: beat, old: cluster('one') }, all)).toEqual([])
    expect(bundlesOfCluster({ type: 'modified', object: cluster('one', {}, { scheduled: true }), old: cluster('one') }, all)).not.toEqual(
      [],
    )
  })
})

test('groups concern bundles that refer to groups', () => {
  const group = (labels: Record<string, string> = {}) => ({
    apiVersion,
    kind: 'ClusterGroup',
    metadata: { name: 'g', namespace: 'ws', labels },
    spec: { selector: {} },
  })
  const grouped = bundle({ rolloutStrategy: { partitions: [{ clusterGroup: 'g' }] } }, { name: 'grouped' })
  expect(bundlesOfGroup({ type: 'added', object: group() }, caches([one, grouped]))).toEqual(['ws/grouped'])
  expect(
    bundlesOfGroup({ type: 'modified', object: { ...group(), status: { clusterCount: 1 } }, old: group() }, caches([grouped])),
  ).toEqual([])
  expect(bundlesOfGroup({ type: 'modified', object: group({ a: 'b' }), old: group() }, caches([grouped]))).toEqual(['ws/grouped'])
})

test('namespaces concern the workspaces that have mappings, and new ones of a cluster those that reach it', () => {
  const namespace = (labels: Record<string, string>) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ws', labels } })
  expect(bundlesOfNamespace({ type: 'modified', object: namespace({ a: 'b' }), old: namespace({}) }, all)).toEqual(['lender/lent'])
  expect(bundlesOfNamespace({ type: 'modified', object: namespace({}), old: namespace({}) }, all)).toEqual([])
  const annotations = { 'fleet.cattle.io/cluster': 'one', 'fleet.cattle.io/cluster-namespace': 'ws' }
  const own = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'cluster-one', annotations } }
  expect(bundlesOfNamespace({ type: 'added', object: own }, all)).toEqual(['lender/lent', 'ws/one'])
})

test('secrets with values concern the bundle, or the bundle of the deployment, of that name', () => {
  const secret = (name: string, namespace: string) => ({
    type: 'added' as const,
    object: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } },
  })
  const withHash = caches([bundle({ valuesHash: 'x' })])
  expect([bundleOfValues(secret('app', 'ws'), withHash), bundleOfValues(secret('one', 'ws'), all)]).toEqual([['ws/app'], []])
  expect([bundleOfDeploymentValues(secret('app', 'cluster-one'), all), bundleOfDeploymentValues(secret('b', 'cluster-one'), all)]).toEqual([
    ['ws/app'],
    [],
  ])
})

test('contents that are deleted concern the bundles that use them', () => {
  const used = caches([], [deployment({}, {}, { labels: { ...deployment().metadata.labels, 'fleet.cattle.io/content-name': 's-1' } })])
  const content = { apiVersion, kind: 'Content', metadata: { name: 's-1' } }
  expect([
    bundlesOfContent({ type: 'deleted', object: content }, used),
    bundlesOfContent({ type: 'added', object: content }, used),
  ]).toEqual([['ws/app'], []])
})

test('copied objects concern the bundles that copy them, copies the bundle of their deployment', () => {
  const copying = caches([bundle({ targets: [{ downstreamResources: [{ kind: 'configmap', name: 'a' }] }] }, { name: 'copying' })])
  const object = (namespace: string, owner?: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'a',
      namespace,
      ...(owner ? { ownerReferences: [{ apiVersion, kind: 'BundleDeployment', name: owner, uid: 'u' }] } : {}),
    },
  })
  expect(bundlesOfCopyable({ type: 'modified', object: object('ws') }, copying)).toEqual(['ws/copying'])
  expect(bundlesOfCopyable({ type: 'deleted', object: object('cluster-one', 'app') }, copying)).toEqual(['ws/app'])
  expect(bundlesOfCopyable({ type: 'modified', object: object('elsewhere') }, copying)).toEqual([])
})
