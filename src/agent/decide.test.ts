import { describe, expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { decide, isHeld, lacksLabels, orphansToDelete, overwrittenObject, restoration } from './decide.ts'
import type { LiveState } from './monitor/types.ts'

const deployment = (spec: object, status: object = {}, name = 'web') =>
  ({ metadata: { name }, spec: { deploymentID: 'v1', ...spec }, status }) as unknown as BundleDeployment
const DEPLOYED = { appliedDeploymentID: 'v1', release: 'apps/web:1' }
const NOT_INSTALLED = { conditions: [{ type: 'Installed', status: 'False' }] }

test.each(['paused', 'offSchedule', 'waitingForValues'])('a deployment that is %s is left alone', (gate) => {
  expect(isHeld(deployment({ [gate]: true }))).toBe(true)
  expect(isHeld(deployment({ [gate]: false }))).toBe(false)
})

describe('a version', () => {
  test('is deployed when it is not the one that was', () => {
    expect(decide(deployment({}), true)).toBe('deploy')
    expect(decide(deployment({ deploymentID: 'v2' }, DEPLOYED), true)).toBe('deploy')
  })

  test('that is deployed stays, whatever else changes', () => {
    expect(decide(deployment({}, DEPLOYED), true)).toBe('nothing')
  })

  test('is deployed again when its record is gone', () => {
    expect(decide(deployment({}, DEPLOYED), false)).toBe('deploy')
    expect(decide(deployment({}, { appliedDeploymentID: 'v1' }), true)).toBe('deploy')
  })

  test('that can never be deployed is not tried again', () => {
    expect(decide(deployment({}, { appliedDeploymentID: 'v1', ...NOT_INSTALLED }), true)).toBe('nothing')
  })

  test('has its copies looked at when their generation rises', () => {
    expect(decide(deployment({ downstreamResourcesGeneration: 2 }, { ...DEPLOYED, downstreamResourcesGeneration: 1 }), true)).toBe('copy')
    expect(decide(deployment({ downstreamResourcesGeneration: 2 }, { ...DEPLOYED, downstreamResourcesGeneration: 2 }), true)).toBe(
      'nothing',
    )
  })

  test('has its copies looked at when somebody touched it', () => {
    const options = { downstreamResources: [{ kind: 'Secret', name: 's' }] }
    expect(decide(deployment({ options }, DEPLOYED), true, true)).toBe('copy')
    expect(decide(deployment({ options }, DEPLOYED), true)).toBe('nothing')
    expect(decide(deployment({}, DEPLOYED), true, true)).toBe('nothing')
  })

  test('that nobody names yet is waited for', () => {
    expect(decide(deployment({ deploymentID: '' }), true)).toBe('nothing')
  })
})

test('labels are missing where a release is there and yet not installed', () => {
  expect(lacksLabels({ ...DEPLOYED, ...NOT_INSTALLED })).toBe(true)
  expect(lacksLabels(NOT_INSTALLED)).toBe(false)
  expect(lacksLabels(DEPLOYED)).toBe(false)
})

const live = (...modifiedStatus: object[]) => ({ modifiedStatus }) as unknown as LiveState
const extra = { kind: 'ConfigMap', apiVersion: 'v1', name: 'old', delete: true }
const missing = { kind: 'ConfigMap', apiVersion: 'v1', name: 'thing', missing: true }

test('left objects go with a forced synchronisation and with an older agent only', () => {
  expect(orphansToDelete(deployment({}, { syncGeneration: 0 }), live(extra, missing))).toEqual([])
  expect(orphansToDelete(deployment({ options: { forceSyncGeneration: 3 } }, { syncGeneration: 2 }), live(extra, missing))).toEqual([extra])
  expect(orphansToDelete(deployment({ options: { forceSyncGeneration: 3 } }, { syncGeneration: 3 }), live(extra))).toEqual([])
  expect(orphansToDelete(deployment({}, { syncGeneration: 2 }), live(extra)), 'no longer forced').toEqual([])
  expect(orphansToDelete(deployment({}, {}, 'fleet-agent-local'), live(extra, missing))).toEqual([extra])
})

test('what is modified is put back where that is wanted, once when it is forced, and for the agent itself when it is seen again', () => {
  const forced = { options: { forceSyncGeneration: 3 } }
  expect(restoration(deployment({}), live(missing))).toBeUndefined()
  expect(restoration(deployment({ correctDrift: { enabled: false } }), live(missing))).toBeUndefined()
  expect(restoration(deployment({ correctDrift: { enabled: true } }), live(missing))).toBe('now')
  expect(restoration(deployment({ correctDrift: { enabled: true } }), { ...live(), nonModified: true })).toBeUndefined()
  expect(restoration(deployment(forced, { syncGeneration: 2 }), live(missing))).toBe('now')
  expect(restoration(deployment(forced, { syncGeneration: 3 }), live(missing))).toBeUndefined()
  expect(restoration(deployment({}, {}, 'fleet-agent-local'), live(missing))).toBe('soon')
  expect(restoration(deployment({}, { modifiedStatus: [missing] }, 'fleet-agent-local'), live(missing))).toBe('now')
})

test('an overwritten object is brought back the second time it is seen missing', () => {
  const options = { overwrites: [{ kind: 'ConfigMap', name: 'thing', namespace: 'apps' }] }
  expect(overwrittenObject(deployment({ options }), live(missing))).toBe('now')
  expect(overwrittenObject(deployment({ options }, { modifiedStatus: [missing] }), live(missing))).toBe('before')
  expect(overwrittenObject(deployment({ options }, { modifiedStatus: [missing] }), live())).toBeUndefined()
  expect(overwrittenObject(deployment({}, { modifiedStatus: [missing] }), live(missing))).toBeUndefined()
})
