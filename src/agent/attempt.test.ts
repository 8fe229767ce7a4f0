import { describe, expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { HelmError } from '../lib/helm/errors.ts'
import { ConnectionError } from '../lib/kube/errors.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createAttempts, type Outcome } from './attempt.ts'
import type { Deployer, DeployOptions } from './deployer.ts'
import type { ReleaseStore } from './release/store.ts'
import { NamespaceForbiddenError } from './target-namespace.ts'
import type { Tracking } from './tracking.ts'

const KEY = 'cluster-a/web'
const REVISION = { namespace: 'apps', name: 'web', version: 4, objects: [] }
const deployment = (spec: object = {}, status?: object) =>
  ({
    metadata: { name: 'web' },
    spec: { deploymentID: 'v2', options: { defaultNamespace: 'apps' }, ...spec },
    status,
  }) as unknown as BundleDeployment
const message = ({ status }: Outcome, type: string) => getCondition(status.conditions, type)?.message
const never = new AbortController().signal

function scene(deploy: (options: DeployOptions) => unknown = () => REVISION) {
  const clock = createFakeClock()
  const calls: string[] = []
  const deployer = {
    async deploy(_deployment: BundleDeployment, options: DeployOptions) {
      calls.push(`deploy resume=${options.resume}`)
      return deploy(options)
    },
    copy: async () => calls.push('copy') > 0,
    label: async () => void calls.push('label'),
  } as unknown as Deployer
  const store = { exists: async () => true, revisions: async () => [{ ...REVISION, state: 'deployed' }] } as unknown as ReleaseStore
  const tracking = { deployed: () => calls.push('tracked'), forget: () => calls.push('forgotten') } as unknown as Tracking
  return { clock, calls, attempts: createAttempts({ deployer, store, tracking, clock, log: silentLogger }) }
}
const failing = (error: unknown) =>
  scene(() => {
    throw error
  })

test('deploys what is asked for, and says so', async () => {
  const { attempts, calls } = scene()
  const { status, error } = await attempts.bringAbout(KEY, deployment({ downstreamResourcesGeneration: 2 }), never)
  expect(error).toBeUndefined()
  expect(status).toMatchObject({ appliedDeploymentID: 'v2', release: 'apps/web:4', downstreamResourcesGeneration: 2 })
  expect(calls).toEqual(['deploy resume=true', 'tracked'])
})

test('forgets of which generation copies were when there are none any more', async () => {
  const { attempts } = scene()
  const before = { appliedDeploymentID: 'v1', release: 'apps/web:3', downstreamResourcesGeneration: 2 }
  const { status } = await attempts.bringAbout(KEY, deployment({}, before), never)
  expect(status).toMatchObject({ appliedDeploymentID: 'v2', release: 'apps/web:4', downstreamResourcesGeneration: undefined })
})

test('does nothing about what is deployed', async () => {
  const { attempts, calls } = scene()
  const before = { appliedDeploymentID: 'v2', release: 'apps/web:4' }
  expect(await attempts.bringAbout(KEY, deployment({}, before), never)).toEqual({ status: before })
  expect(calls).toEqual([])
})

test('looks at copies and labels of what is deployed once after somebody touched it', async () => {
  const { attempts, calls } = scene()
  const options = { defaultNamespace: 'apps', downstreamResources: [{ kind: 'Secret', name: 's' }] }
  const before = { appliedDeploymentID: 'v2', release: 'apps/web:3' }
  attempts.touched(KEY)
  const { status } = await attempts.bringAbout(KEY, deployment({ options }, before), never)
  expect(status.release).toBe('apps/web:4') // the copy had changed
  await attempts.bringAbout(KEY, deployment({ options }, before), never)
  expect(calls).toEqual(['copy', 'deploy resume=false', 'tracked'])
  for (const labels of [{}, { team: 'a' }]) {
    attempts.touched(KEY)
    const marked = deployment({ options: { namespaceLabels: labels } }, before)
    expect(await attempts.bringAbout(KEY, marked, never)).toEqual({ status: before })
  }
  expect(calls.slice(3)).toEqual(['label'])
})

test('what was touched is looked at again when that failed', async () => {
  const { attempts, calls } = failing(new Error('secret is missing'))
  const options = { defaultNamespace: 'apps', downstreamResources: [{ kind: 'Secret', name: 's' }] }
  const touched = deployment({ options }, { appliedDeploymentID: 'v2', release: 'apps/web:3' })
  attempts.touched(KEY)
  for (const _ of ['first', 'again']) await attempts.bringAbout(KEY, touched, never)
  expect(calls.filter((call) => call === 'copy')).toHaveLength(2)
})

test('a version that is asked for again after another one failed is deployed, and says so', async () => {
  const { attempts, calls } = scene()
  const conditions = [{ type: 'Deployed', status: 'False', reason: 'Error', message: 'no such thing' }]
  const { status } = await attempts.bringAbout(KEY, deployment({}, { appliedDeploymentID: 'v2', release: 'apps/web:4', conditions }), never)
  expect(getCondition(status.conditions, 'Deployed')).toMatchObject({ status: 'True' })
  expect(status).toMatchObject({ appliedDeploymentID: 'v2', release: 'apps/web:4' })
  expect(calls).toEqual(['label'])
})

test('a release is taken as it is while the hub does not know what came of it, and made anew afterwards', async () => {
  const { attempts, calls } = scene()
  await attempts.bringAbout(KEY, deployment(), never)
  await attempts.bringAbout(KEY, deployment(), never) // the report did not get through
  attempts.reported(KEY)
  await attempts.bringAbout(KEY, deployment({ deploymentID: 'v3' }), never)
  expect(calls.filter((call) => call.startsWith('deploy'))).toEqual(['deploy resume=true', 'deploy resume=true', 'deploy resume=false'])
})

test('changed copies have the version deployed again', async () => {
  const { attempts, calls } = scene()
  const { status } = await attempts.bringAbout(
    KEY,
    deployment({ downstreamResourcesGeneration: 2 }, { appliedDeploymentID: 'v2', release: 'apps/web:3' }),
    never,
  )
  expect(calls).toEqual(['copy', 'deploy resume=false', 'tracked'])
  expect(status.downstreamResourcesGeneration).toBe(2)
})

test('a namespace that could not be labelled is tried again without deploying', async () => {
  const { attempts, calls } = scene()
  const conditions = [{ type: 'Installed', status: 'False', message: 'not installed: x' }]
  const { status } = await attempts.bringAbout(KEY, deployment({}, { appliedDeploymentID: 'v2', release: 'apps/web:4', conditions }), never)
  expect(calls).toEqual(['label'])
  expect(getCondition(status.conditions, 'Installed')?.status).toBe('True')
})

describe('a failure', () => {
  test('for good counts as applied', async () => {
    const outcome = await failing(new HelmError('immutable', 'field is immutable')).attempts.bringAbout(KEY, deployment(), never)
    expect(outcome.error).toBeUndefined()
    expect(outcome.status.appliedDeploymentID).toBe('v2')
    expect(message(outcome, 'Installed')).toBe('not installed: field is immutable')
  })

  test('that may heal is reported and tried again', async () => {
    const error = new HelmError('forbidden', 'not allowed')
    const outcome = await failing(error).attempts.bringAbout(KEY, deployment(), never)
    expect(outcome.error).toBe(error)
    expect(outcome.status.appliedDeploymentID).toBeUndefined()
    expect(message(outcome, 'Deployed')).toBe('not allowed')
  })

  test('of the contents is reported and not tried again', async () => {
    const outcome = await failing(new TerminalError('file and folder')).attempts.bringAbout(KEY, deployment(), never)
    expect(outcome.error).toBeInstanceOf(TerminalError)
    expect(message(outcome, 'Deployed')).toBe('file and folder')
  })

  test('of the hub changes no status', async () => {
    const before = { conditions: [{ type: 'Ready', status: 'True' }] }
    const outcome = await failing(new ConnectionError('away', 'ECONNREFUSED')).attempts.bringAbout(KEY, deployment({}, before), never)
    expect(outcome.status).toEqual(before)
  })

  test('to label the namespace names the release that was made', async () => {
    const outcome = await failing(new NamespaceForbiddenError('not allowed to get')).attempts.bringAbout(KEY, deployment(), never)
    expect(outcome).toMatchObject({ requeueAfterMs: 120_000, status: { release: 'apps/web:4', appliedDeploymentID: 'v2' } })
    expect(message(outcome, 'Ready')).toBe('not ready: not allowed to get')
  })
})

test('values that come a little later are no failure, those that stay away are', async () => {
  const { attempts, clock } = failing(new WaitingError('no values yet', { reason: 'WaitingForValues', retryAfterMs: 1_000 }))
  const first = await attempts.bringAbout(KEY, deployment(), never)
  expect(first.status).toEqual({})
  expect(first.error).toMatchObject({ retryAfterMs: 1_000 })
  await clock.advance(10_000)
  const later = await attempts.bringAbout(KEY, deployment(), never)
  expect(message(later, 'Deployed')).toBe('no values yet')
  expect(later.error).toMatchObject({ retryAfterMs: 15_000 })
})

test.each([{ timeoutSeconds: 600 }, { atomic: true }])(
  'whoever waits for objects (%o) gives way to a newer version, without a word',
  async (helm) => {
    const waiting = ({ signal }: DeployOptions) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const { attempts } = scene(waiting)
    const slow = deployment({ options: { helm } }, { release: 'apps/web:3' })
    const running = attempts.bringAbout(KEY, slow, never)
    await new Promise((resolve) => setImmediate(resolve))
    attempts.overtake(KEY)
    expect(await running).toEqual({ status: { release: 'apps/web:3' } })
  },
)

test('an agent that stops says nothing about what it broke off', async () => {
  const stop = new AbortController()
  const { attempts } = failing(new Error('broken off'))
  stop.abort(new Error('stopping'))
  await expect(attempts.bringAbout(KEY, deployment(), stop.signal)).rejects.toThrow('stopping')
})
