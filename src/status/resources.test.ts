import { expect, test } from 'vitest'
import { deployment, READY } from './objects.testing.ts'
import { countsPerCluster, foldResources } from './resources.ts'

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' }
const settings = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'settings' }

test('each object is listed once, with the clusters in each state', () => {
  const resources = foldResources([
    deployment('two', 'app', {
      ...READY,
      ready: false,
      resources: [web, settings],
      nonReadyStatus: [{ ...web, summary: { state: 'updating', transitioning: true } }],
    }),
    deployment('one', 'app', { ...READY, resources: [web, settings] }),
  ])
  expect(resources).toEqual([
    { ...web, type: 'apps.deployment', id: 'default/web', state: 'updating', perClusterState: { ready: ['ws/one'], notReady: ['ws/two'] } },
    { ...settings, type: 'configmap', id: 'default/settings', state: 'Ready', perClusterState: { ready: ['ws/one', 'ws/two'] } },
  ])
})

test('the state of the deployment is that of its objects, unless something is known about a single one', () => {
  const modified = [
    { ...settings, missing: true },
    { ...web, delete: true },
  ]
  const states = (status: Parameters<typeof deployment>[2]) =>
    foldResources([deployment('one', 'app', { resources: [web, settings], ...status })]).map(({ state }) => state)
  expect(states({})).toEqual(['WaitApplied', 'WaitApplied'])
  expect(states({ ...READY, nonModified: false, modifiedStatus: modified })).toEqual(['Orphaned', 'Missing'])
  expect(states({ ...READY, nonModified: false, modifiedStatus: [{ ...settings, patch: '{}' }] })).toEqual(['Ready', 'Modified'])
  expect(states({ ...READY, ready: false, incompleteState: true })).toEqual(['Unknown', 'Unknown'])
})

test('objects that are only known from trouble are listed too; words of agents are in no list', () => {
  const [resource] = foldResources([
    deployment('one', 'app', { ...READY, ready: false, nonReadyStatus: [{ ...web, summary: { state: 'in-progress' } }] }),
  ])
  expect(resource).toMatchObject({ state: 'in-progress', perClusterState: {} })
})

test('objects without namespace, and of other versions', () => {
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'r' }
  const resources = foldResources([deployment('one', 'app', { ...READY, resources: [role, { ...web, apiVersion: 'apps/v1beta1' }, web] })])
  expect(resources.map(({ type, id }) => `${type} ${id}`)).toEqual([
    'apps.deployment default/web',
    'apps.deployment default/web',
    'rbac.authorization.k8s.io.clusterrole r',
  ])
  expect(resources[2]).not.toHaveProperty('namespace')
})

test('of two ids that begin alike the shorter one comes first', () => {
  const names = ['web.x', 'web-config', 'web', 'web0']
  const resources = names.map((name) => ({ ...settings, name }))
  const listed = foldResources([deployment('one', 'app', { ...READY, resources })])
  expect(listed.map(({ name }) => name)).toEqual(['web', 'web-config', 'web.x', 'web0'])
})

test('the result does not depend on the order of deployments, and has a limit', () => {
  const many = Array.from({ length: 300 }, (_, c) =>
    Array.from({ length: 10 }, (_, b) => {
      const resources = Array.from({ length: 4 }, (_, i) => ({ ...settings, name: `settings-${b}-${i}` }))
      const ready = (c + b) % 3 > 0
      const status = {
        ...READY,
        ready,
        resources,
        nonReadyStatus: ready ? [] : [{ ...settings, name: `settings-${b}-0`, summary: { state: 'error' } }],
      }
      return deployment(`cluster-with-a-long-name-that-takes-room-${c}`, `bundle-${b}`, status)
    }),
  ).flat()
  const resources = foldResources(many)
  expect(JSON.stringify(foldResources(many.toReversed())) === JSON.stringify(resources)).toBe(true)
  expect(JSON.stringify(resources).length).toBeLessThan(900 * 1_024)
  expect(resources).toHaveLength(40)
  const wrong = resources.reduce((sum, resource) => sum + (resource.perClusterState?.notReady?.length ?? 0), 0)
  expect(wrong).toBe(1_000)
  expect(resources.at(-1)).toMatchObject({ incompleteState: true })
})

test('very many objects are cut', () => {
  const resources = Array.from({ length: 20_000 }, (_, i) => ({ ...settings, name: `settings-${i}` }))
  const json = JSON.stringify(foldResources([deployment('one', 'app', { ...READY, resources })]))
  expect(json.length).toBeLessThan(900 * 1_024)
  expect(json.length).toBeGreaterThan(300 * 1_024)
})

test('counts by cluster leave out most zeros', () => {
  const counts = countsPerCluster([
    deployment('two', 'a', { resourceCounts: { ready: 1, desiredReady: 2, missing: 1 } }),
    deployment('one', 'a', { resourceCounts: { ready: 0, desiredReady: 0, missing: 0 } }),
    deployment('two', 'b', { resourceCounts: { ready: 3, desiredReady: 3 } }),
  ])
  expect(counts).toEqual({ 'ws/one': { ready: 0, desiredReady: 0 }, 'ws/two': { ready: 4, desiredReady: 5, missing: 1 } })
})
