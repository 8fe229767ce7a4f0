import { expect, test } from 'vitest'
import type { Bundle } from '../api/bundle.ts'
import type { BundleNamespaceMapping } from '../api/bundle-namespace-mapping.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { candidatesOf, namespacesOf } from './candidates.ts'

const apiVersion = 'fleet.cattle.io/v1alpha1'
const bundle: Bundle = { apiVersion, kind: 'Bundle', metadata: { name: 'app', namespace: 'ws', labels: { share: 'yes' } }, spec: {} }
const namespaces = [
  { metadata: { name: 'b', labels: { lend: 'x' } } },
  { metadata: { name: 'a', labels: { lend: 'x' } } },
  { metadata: { name: 'c', labels: {} } },
]

function mapping(fields: Partial<BundleNamespaceMapping>): BundleNamespaceMapping {
  return { apiVersion, kind: 'BundleNamespaceMapping', metadata: { name: 'm', namespace: 'ws' }, ...fields }
}

function cluster(namespace: string, name: string, labels: Record<string, string> = {}, deleting = false): Cluster {
  const metadata = { name, namespace, labels, ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) }
  return { apiVersion, kind: 'Cluster', metadata, spec: {} }
}

function group(name: string, spec: ClusterGroup['spec']): ClusterGroup {
  return { apiVersion, kind: 'ClusterGroup', metadata: { name, namespace: 'ws' }, spec }
}

test('a mapping adds the namespaces it selects', () => {
  const selectors = { bundleSelector: { matchLabels: { share: 'yes' } }, namespaceSelector: { matchLabels: { lend: 'x' } } }
  expect(namespacesOf(bundle, [mapping(selectors)], namespaces)).toEqual({ namespaces: ['a', 'b', 'ws'], invalid: [] })
  expect(
    namespacesOf(bundle, [mapping({ ...selectors, bundleSelector: { matchLabels: { share: 'no' } } })], namespaces).namespaces,
  ).toEqual(['ws'])
})

test('a mapping that lacks a selector has no effect, one that is invalid is told', () => {
  expect(namespacesOf(bundle, [mapping({ bundleSelector: {} }), mapping({ namespaceSelector: {} })], namespaces).namespaces).toEqual(['ws'])
  const invalid = mapping({ bundleSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] }, namespaceSelector: {} })
  const found = namespacesOf(bundle, [invalid, mapping({ bundleSelector: {}, namespaceSelector: {} })], namespaces)
  expect(found.namespaces).toEqual(['a', 'b', 'c', 'ws'])
  expect(found.invalid.map(({ error }) => error.message)).toEqual([expect.stringContaining('Near')])
})

test('candidates come sorted by name, with the groups of their own namespace', () => {
  const clusters: Record<string, Cluster[]> = {
    ws: [cluster('ws', 'b', { env: 'x' }), cluster('ws', 'gone', {}, true)],
    a: [cluster('a', 'b'), cluster('a', 'a')],
  }
  const groups = [
    group('z', { selector: {} }),
    group('none', {}),
    group('bad', { selector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } }),
    group('env', { selector: { matchLabels: { env: 'x' } } }),
  ]
  const found = candidatesOf(
    ['a', 'ws'],
    (ns) => clusters[ns] ?? [],
    (ns) => (ns === 'ws' ? groups : []),
  )
  expect(
    found.map(({ cluster: { metadata }, groups: own }) => [metadata.namespace, metadata.name, own.map((one) => one.metadata.name)]),
  ).toEqual([
    ['a', 'a', []],
    ['a', 'b', []],
    ['ws', 'b', ['env', 'z']],
  ])
})
