import { describe, expect, test } from 'vitest'
import { getCondition } from '../lib/controller/conditions.ts'
import type { LiveState } from './monitor/types.ts'
import { deployed, failedForGood, formatRelease, namespaceRefused, notDeployed, observed, parseRelease, type Status } from './status.ts'

const NOW = Date.UTC(2030, 0, 1)
const RELEASE = { namespace: 'apps', name: 'web', version: 3 }
const LIVE: LiveState = {
  ready: true,
  nonModified: true,
  nonReadyStatus: [],
  modifiedStatus: [],
  incompleteState: false,
  resources: [],
  resourceCounts: { desiredReady: 1, ready: 1 },
}
const modified = { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'apps', name: 'a', missing: true }
const nonReady = {
  uid: '1',
  kind: 'Deployment',
  apiVersion: 'apps/v1',
  namespace: 'apps',
  name: 'web',
  summary: { state: 'in-progress', transitioning: true, message: ['0 of 1'] },
}
const message = (status: Status, type: string) => getCondition(status.conditions, type)?.message

test('a release is written as namespace/name:version', () => {
  expect(formatRelease(RELEASE)).toBe('apps/web:3')
  expect(parseRelease('apps/web.example:12')).toEqual({ namespace: 'apps', name: 'web.example', version: 12 })
  for (const text of [undefined, '', 'apps/web', 'web:1', 'apps/web:x']) expect(parseRelease(text)).toBeUndefined()
})

test('a first deployment gives the conditions in their usual order', () => {
  const status = observed(deployed({}, 'v1', RELEASE, NOW), LIVE, 0, NOW)
  expect(status.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
    'Installed True',
    'Deployed True',
    'Ready True',
    'Monitored True',
  ])
  expect(status).toMatchObject({
    appliedDeploymentID: 'v1',
    release: 'apps/web:3',
    ready: true,
    nonModified: true,
    syncGeneration: 0,
    resourceCounts: { desiredReady: 1, ready: 1 },
  })
  expect(status.modifiedStatus).toBeUndefined()
})

describe('the Ready condition', () => {
  test('names the first object that is not ready, else the first that is modified', () => {
    const both = observed({}, { ...LIVE, ready: false, nonModified: false, nonReadyStatus: [nonReady], modifiedStatus: [modified] }, 0, NOW)
    expect(message(both, 'Ready')).toBe('deployment.apps apps/web [progressing] 0 of 1')
    const one = observed({}, { ...LIVE, nonModified: false, modifiedStatus: [modified] }, 0, NOW)
    expect(message(one, 'Ready')).toBe('configmap.v1 apps/a missing')
  })

  test('says at least which of the two it is', () => {
    expect(message(observed({}, { ...LIVE, nonModified: false }, 0, NOW), 'Ready')).toBe('out of sync')
    expect(message(observed({}, { ...LIVE, ready: false }, 0, NOW), 'Ready')).toBe('not ready')
  })
})

test('that a list was cut once is remembered', () => {
  const cut = observed({}, { ...LIVE, incompleteState: true }, 0, NOW)
  expect(observed(cut, LIVE, 0, NOW).incompleteState).toBe(true)
})

test('a permanent failure counts as applied and names its reason twice', () => {
  const before = observed(deployed({}, 'v1', RELEASE, NOW), { ...LIVE, nonModified: false, modifiedStatus: [modified] }, 0, NOW)
  const status = failedForGood(before, 'v2', 'broken', NOW)
  expect(status).toMatchObject({ appliedDeploymentID: 'v2', ready: false, nonModified: true })
  expect([status.release, status.modifiedStatus]).toEqual([undefined, undefined])
  expect([message(status, 'Ready'), message(status, 'Installed'), message(status, 'Deployed')]).toEqual([
    'not ready: broken',
    'not installed: broken',
    undefined,
  ])
  const mended = deployed(status, 'v3', RELEASE, NOW)
  expect(getCondition(mended.conditions, 'Installed')?.status).toBe('True')
})

test('a namespace that cannot be labelled leaves the release in place', () => {
  const status = namespaceRefused(deployed({}, 'v1', RELEASE, NOW), 'not allowed', NOW)
  expect(status.release).toBe('apps/web:3')
  expect(getCondition(status.conditions, 'Deployed')?.status).toBe('True')
  expect(message(status, 'Installed')).toBe('not installed: not allowed')
})

test('a passing failure says so and leaves all else as it is', () => {
  const before = deployed({}, 'v1', RELEASE, NOW)
  const status = notDeployed(before, new Error('no matches for kind'), NOW)
  expect(status).toEqual({ ...before, conditions: expect.anything() })
  expect(message(status, 'Deployed')).toBe('no matches for kind')
})
