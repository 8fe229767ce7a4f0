import { expect, test } from 'vitest'
import type { BundleDeploymentStatus } from '../../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../../api/kinds.ts'
import { ignoringPatches, mergePatches } from './compare-patches.ts'
import { diffsOf } from './diffs.ts'
import { textByBundle, textOfDeployment } from './text.ts'

const configMap = { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'default' }
const deployment = (name: string, bundle: string | undefined, status?: BundleDeploymentStatus) => ({
  ...BUNDLE_DEPLOYMENT,
  metadata: { name, namespace: 'c', ...(bundle ? { labels: { 'fleet.cattle.io/bundle-name': bundle } } : {}) },
  spec: {},
  ...(status ? { status } : {}),
})
const modified = (name: string, patch: unknown) => ({ ...configMap, name, patch: JSON.stringify(patch) })
const operationsOf = (patch: unknown) =>
  ignoringPatches([modified('x', patch)]).patches[0]?.operations?.map(({ op, path }) => `${op} ${path}`)

test('only deployments with something to report have a diff', () => {
  const nonReady = { kind: 'Pod', name: 'p' }
  const diffs = diffsOf([
    deployment('new', 'a'),
    deployment('fine', 'a', { modifiedStatus: [] }),
    deployment('one', 'a', { modifiedStatus: [modified('x', {})] }),
    deployment('two', undefined, { nonReadyStatus: [nonReady] }),
  ])
  expect(diffs).toEqual([
    { bundleDeploymentName: 'one', bundleName: 'a', namespace: 'c', modifiedResources: [modified('x', {})] },
    { bundleDeploymentName: 'two', bundleName: '', namespace: 'c', modifiedResources: [], nonReadyResources: [nonReady] },
  ])
})

test('text is grouped by bundle, in the order of names', () => {
  const status = { modifiedStatus: [{ ...configMap, name: 'lost', missing: true }] }
  const lines = textByBundle(diffsOf([deployment('z', 'b', status), deployment('y', undefined, status), deployment('x', 'a', status)]))
  expect(lines.filter((line) => line.startsWith('Bundle'))).toEqual([
    'Bundle: (unknown)',
    'BundleDeployments with diffs: 1',
    'Bundle: a',
    'BundleDeployments with diffs: 1',
    'Bundle: b',
    'BundleDeployments with diffs: 1',
  ])
})

test('every way to be different has its words', () => {
  const [diff] = diffsOf([
    deployment('x', 'a', {
      modifiedStatus: [
        { ...configMap, name: 'lost', missing: true },
        { ...configMap, name: 'foreign', missing: true, exist: true },
        { ...configMap, name: 'extra', delete: true },
        { ...configMap, name: 'changed', patch: '{"data":{"k":"v"}}' },
        { kind: 'Secret', apiVersion: 'v1', name: 'hidden', patch: '***' },
      ],
      nonReadyStatus: [
        {
          kind: 'Deployment',
          apiVersion: 'apps/v1',
          namespace: 'prod',
          name: 'web',
          summary: { state: 'in-progress', transitioning: true, message: ['rolling'] },
        },
      ],
    }),
  ])
  expect(textOfDeployment(diff!)).toEqual([
    'BundleDeployment: c/x',
    'Bundle: a',
    '━'.repeat(66),
    'Modified Resources (5):',
    '  Resource: ConfigMap.v1 default/lost',
    '  Status: Resource is missing (should be created)',
    '  Resource: ConfigMap.v1 default/foreign',
    '  Status: Resource exists but is not owned by Fleet',
    '  Resource: ConfigMap.v1 default/extra',
    '  Status: Extra resource (should be deleted)',
    '  Resource: ConfigMap.v1 default/changed',
    '  Status: Modified',
    '  Patch:',
    '    {',
    '      "data": {',
    '        "k": "v"',
    '      }',
    '    }',
    '  Resource: Secret.v1 hidden',
    '  Status: Modified',
    '  Patch:',
    '    ***',
    'Non-Ready Resources (1):',
    '  Resource: Deployment.apps/v1 prod/web',
    '  Status: Not Ready',
    '  Summary: [progressing] rolling',
  ])
})

test('operations remove what a patch touches, and nothing more', () => {
  expect(operationsOf({ data: { 'a/b~c': 'x', gone: null }, metadata: { labels: {} } })).toEqual([
    'remove /data/a~1b~0c',
    'remove /data/gone',
    'remove /metadata/labels',
  ])
  expect(operationsOf({ spec: { list: [{ a: 1 }], template: { metadata: {} } } })).toEqual([
    'remove /spec/list',
    'remove /spec/template/metadata',
  ])
  expect(operationsOf({})).toBeUndefined()
})

test('what cannot be read is told, what is missing or extra is passed over', () => {
  const hidden = { kind: 'Secret', name: 's', patch: '***' }
  expect(ignoringPatches([hidden, { ...configMap, name: 'lost', missing: true }])).toEqual({ patches: [], unreadable: [hidden] })
})

test('patches of the same object become one, each operation once', () => {
  const remove = (path: string) => ({ op: 'remove', path })
  const patch = (name: string, ...paths: string[]) => ({ ...configMap, name, operations: paths.map(remove) })
  const pointed = { ...configMap, name: 'a', jsonPointers: ['/x'] }
  expect(mergePatches([patch('z', '/1'), pointed], [patch('z', '/1', '/2'), patch('m', '/1'), patch('a', '/y')])).toEqual([
    { ...pointed, operations: [remove('/y')] },
    patch('m', '/1'),
    patch('z', '/1', '/2'),
  ])
})
