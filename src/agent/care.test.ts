import { expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createCare } from './care.ts'
import type { Corrector } from './correct.ts'
import type { LiveState } from './monitor/types.ts'
import type { Orphans } from './orphans.ts'
import type { Tracking } from './tracking.ts'

const STATUS = { appliedDeploymentID: 'v1', release: 'apps/web:1' }
const missing = { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'apps', name: 'a', missing: true }
const MODIFIED: LiveState = {
  ready: true,
  nonModified: false,
  nonReadyStatus: [],
  modifiedStatus: [missing],
  incompleteState: false,
  resources: [],
  resourceCounts: { desiredReady: 1, missing: 1 },
}

async function lookAfter(name: string, live: LiveState) {
  const corrector = { correct: async () => undefined, lastError: () => undefined } as unknown as Corrector
  const orphans: Orphans = { remove: async () => false, reinstall: async () => undefined }
  const tracking = { look: async () => live } as unknown as Tracking
  const care = createCare({ tracking, corrector, orphans, clock: createFakeClock(), log: silentLogger })
  const deployment = { metadata: { name }, spec: { deploymentID: 'v1' }, status: STATUS } as unknown as BundleDeployment
  return care.lookAfter('k', deployment, { status: STATUS }, new AbortController().signal)
}

test('what is modified is reported, and that is all', async () => {
  const { status, requeueAfterMs } = await lookAfter('web', MODIFIED)
  expect(status).toMatchObject({ nonModified: false, modifiedStatus: [missing] })
  expect(requeueAfterMs).toBeUndefined()
})

test('objects of the agent itself are looked at again soon, to be put back', async () => {
  const { status, requeueAfterMs } = await lookAfter('fleet-agent-local', MODIFIED)
  expect(status.nonModified).toBe(false)
  expect(requeueAfterMs).toBe(5_000)
  expect((await lookAfter('fleet-agent-local', { ...MODIFIED, nonModified: true, modifiedStatus: [] })).requeueAfterMs).toBeUndefined()
})
