import { expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { checkDependencies } from './dependencies.ts'

const READY = { appliedDeploymentID: 'v1', ready: true, nonModified: true }
const bundle = (name: string) => ({ 'fleet.cattle.io/bundle-name': name, 'fleet.cattle.io/bundle-namespace': 'fleet-default' })
const deployment = (name: string, options: { labels?: object; status?: object; dependsOn?: object[] } = {}) =>
  ({
    metadata: { name, labels: { ...bundle(name), ...options.labels } },
    spec: { deploymentID: 'v1', stagedDeploymentID: 'v1', dependsOn: options.dependsOn },
    status: options.status,
  }) as unknown as BundleDeployment
const web = (...dependsOn: object[]) => deployment('web', { dependsOn })

test('what is ready holds nothing back, and empty entries are ignored', () => {
  expect(() => checkDependencies(web({ name: 'db' }, {}), [deployment('db', { status: READY })])).not.toThrow()
  expect(() => checkDependencies(web(), [])).not.toThrow()
})

test('names those that are not ready, of all entries', () => {
  const all = [
    deployment('db'),
    deployment('cache', { labels: { tier: 'back' }, status: { ...READY, ready: false } }),
    deployment('ok', { labels: { tier: 'back' }, status: READY }),
  ]
  expect(() => checkDependencies(web({ name: 'db' }, { selector: { matchLabels: { tier: 'back' } } }), all)).toThrow(
    expect.objectContaining({
      message: 'dependent bundle(s) are not ready: [db cache]',
      reason: 'WaitingForDependency',
      retryAfterMs: 15_000,
    }),
  )
})

test('names what does not exist in this workspace', () => {
  const elsewhere = deployment('db', { labels: { 'fleet.cattle.io/bundle-namespace': 'other' }, status: READY })
  expect(() => checkDependencies(web({ name: 'db' }), [elsewhere])).toThrow(
    'list bundledeployments: no bundles matching labels fleet.cattle.io/bundle-name=db,fleet.cattle.io/bundle-namespace=fleet-default in namespace fleet-default',
  )
})

test('name and selector of one entry must both fit', () => {
  const all = [deployment('db', { labels: { tier: 'back' }, status: READY })]
  expect(() => checkDependencies(web({ name: 'db', selector: { matchLabels: { tier: 'back' } } }), all)).not.toThrow()
  expect(() => checkDependencies(web({ name: 'db', selector: { matchLabels: { tier: 'front' } } }), all)).toThrow(
    'no bundles matching labels',
  )
})

test('other states are accepted when they are listed, and then Ready must be listed, too', () => {
  const notReady = [deployment('db', { status: { ...READY, ready: false } })]
  expect(() => checkDependencies(web({ name: 'db', acceptedStates: ['NotReady'] }), notReady)).not.toThrow()
  expect(() => checkDependencies(web({ name: 'db', acceptedStates: ['NotReady'] }), [deployment('db', { status: READY })])).toThrow('[db]')
})
