import { expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import type { Accounts } from './accounts.ts'
import { createCorrector } from './correct.ts'
import type { LiveState } from './monitor/types.ts'
import type { ReleaseEngine } from './release/engine.ts'

const RELEASE = { namespace: 'apps', name: 'web', version: 2 }
const deployment = (correctDrift: object | undefined) =>
  ({
    metadata: { name: 'web' },
    spec: { correctDrift, options: { serviceAccount: 'sa', helm: { maxHistory: 5 } } },
  }) as unknown as BundleDeployment
const modified = (name = 'a') =>
  ({ nonModified: false, modifiedStatus: [{ kind: 'ConfigMap', apiVersion: 'v1', name, missing: true }] }) as unknown as LiveState
const clean = { nonModified: true, modifiedStatus: [] } as unknown as LiveState

function scene(outcome: (settings: unknown) => unknown = () => ({ ...RELEASE, version: 3, objects: [] })) {
  const clock = createFakeClock()
  const calls: unknown[] = []
  const accounts = { access: async (name: string) => ({ name }) } as unknown as Accounts
  const engine = {
    async rollback(...args: unknown[]) {
      calls.push(args.slice(0, 3))
      return outcome(args[1])
    },
  } as unknown as ReleaseEngine
  const settled: unknown[] = []
  const settle = async (release: unknown): Promise<void> => void settled.push(release)
  const corrector = createCorrector({ accounts, engine, settle, clock })
  const correct = (what: BundleDeployment, live: LiveState) => corrector.correct('k', what, RELEASE, live, new AbortController().signal)
  return { clock, calls, settled, corrector, correct }
}

test('does nothing unless it is wanted and something is modified', async () => {
  const { calls, correct } = scene()
  expect(await correct(deployment(undefined), modified())).toBeUndefined()
  expect(await correct(deployment({ enabled: false }), modified())).toBeUndefined()
  expect(await correct(deployment({ enabled: true }), clean)).toBeUndefined()
  expect(calls).toEqual([])
})

test('restores the deployed revision with the rights and settings of the deployment', async () => {
  const { calls, correct } = scene()
  expect(await correct(deployment({ enabled: true, force: true, keepFailHistory: true }), modified())).toMatchObject({ version: 3 })
  expect(calls).toEqual([[RELEASE, { force: true, keepFailHistory: true, maxHistory: 5 }, { name: 'sa' }]])
})

test('mends its own agent without being asked to', async () => {
  const { calls, correct } = scene()
  const agent = { ...deployment(undefined), metadata: { name: 'fleet-agent-local' } } as BundleDeployment
  expect(await correct(agent, modified())).toBeUndefined()
  const seen = { ...agent, status: { modifiedStatus: modified().modifiedStatus } } as unknown as BundleDeployment
  expect(await correct(seen, modified())).toMatchObject({ version: 3 })
  expect(calls).toEqual([[RELEASE, { force: false, keepFailHistory: false, maxHistory: 5 }, { name: 'sa' }]])
})

test('objects that cannot be replaced are restored by applying them', async () => {
  const refusedIfForced = (settings: unknown) => {
    if ((settings as { force: boolean }).force) throw new Error('field is immutable')
    return { ...RELEASE, version: 4, objects: [] }
  }
  const { calls, correct } = scene(refusedIfForced)
  expect(await correct(deployment({ enabled: true, force: true }), modified())).toMatchObject({ version: 4 })
  expect(calls).toHaveLength(2)
})

test('of two refusals the first is reported', async () => {
  const { correct } = scene((settings) => {
    throw new Error((settings as { force: boolean }).force ? 'field is immutable' : 'no')
  })
  await expect(correct(deployment({ enabled: true, force: true }), modified())).rejects.toThrow('field is immutable')
})

test('after a refusal waits longer and longer, but tries at once when something else is wrong', async () => {
  const { clock, calls, settled, corrector, correct } = scene(() => {
    throw new Error('refused')
  })
  const wanted = deployment({ enabled: true })
  await expect(correct(wanted, modified())).rejects.toThrow('refused')
  expect(corrector.lastError('k')?.message).toBe('refused')
  expect(corrector.retryInMs('k')).toBe(30_000)
  expect(await correct(wanted, modified())).toBeUndefined()
  await clock.advance(30_000)
  await expect(correct(wanted, modified())).rejects.toThrow('refused')
  expect(corrector.retryInMs('k')).toBe(60_000)
  await expect(correct(wanted, modified('b'))).rejects.toThrow('refused')
  expect(calls).toHaveLength(3)
  expect(settled).toEqual([])
  await correct(wanted, clean)
  await correct(wanted, clean)
  expect(settled, 'the record of what failed').toEqual([RELEASE])
  expect(corrector.lastError('k')).toBeUndefined()
})
