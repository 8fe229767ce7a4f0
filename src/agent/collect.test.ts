import { expect, test } from 'vitest'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { silentLogger } from '../lib/controller/log.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createCollector } from './collect.ts'
import type { ReleaseOwner, RevisionSummary } from './release/engine.ts'
import type { ReleaseStore } from './release/store.ts'
import type { Removal } from './removal.ts'

interface Release extends RevisionSummary {
  owner?: string
  label?: string
}

const release = (name: string, owner?: string, label = owner): Release => ({
  namespace: 'apps',
  name,
  version: 1,
  state: 'deployed',
  ...(owner ? { owner } : {}),
  ...(label ? { label } : {}),
})
const deployment = (name: string, status: object = {}) =>
  ({ metadata: { name }, spec: { deploymentID: 'v1', options: { defaultNamespace: 'apps' } }, status }) as unknown as BundleDeployment
const settled = (name: string) => deployment(name, { appliedDeploymentID: 'v1', release: `apps/${name}:1` })

function scene(releases: Release[], deployments: BundleDeployment[], gone: (name: string) => boolean = () => true) {
  const clock = createFakeClock()
  const done: string[] = []
  const store = { newest: () => releases, label: (revision: Release) => revision.label } as unknown as ReleaseStore
  const removal: Removal = {
    ownOwner: async (revision) => {
      const { owner } = revision as Release
      done.push(`read ${revision.name}`)
      return owner === undefined ? undefined : ({ bundleId: owner } as ReleaseOwner)
    },
    removeDeployment: async (name) => {
      if (name === 'broken') throw new Error('refused')
      done.push(`remove deployment ${name}`)
    },
    removeRelease: async ({ name }) => void done.push(`remove release ${name}`),
  }
  const find = (name: string) => deployments.find(({ metadata }) => metadata.name === name)
  const collector = createCollector({
    store,
    removal,
    find,
    isGone: async (name) => gone(name),
    intervalMs: 10_000,
    clock,
    random: () => 0.5,
    log: silentLogger,
  })
  const end = new AbortController()
  const running = collector.run(end.signal)
  const stop = async () => {
    end.abort(new Error('enough'))
    await running
  }
  return { clock, done, collector, stop }
}

test('collects nothing before a deployment was looked after, then again and again', async () => {
  const { clock, done, collector, stop } = scene([release('lost', 'lost')], [])
  await clock.advance(60_000)
  expect(done).toEqual([])
  collector.start()
  await clock.advance(14_999)
  expect(done).toEqual([])
  await clock.advance(1)
  expect(done).toEqual(['read lost', 'remove deployment lost'])
  await clock.advance(15_000)
  expect(done).toHaveLength(4)
  await stop()
})

test('reads nothing about releases that are where they should be, and leaves those of others', async () => {
  const { clock, done, collector, stop } = scene([release('web', 'web'), release('foreign')], [settled('web')])
  collector.start()
  await clock.advance(15_000)
  expect(done).toEqual(['read foreign'])
  await stop()
})

test('keeps what the hub still knows', async () => {
  const { clock, done, collector, stop } = scene([release('web', 'web')], [], () => false)
  collector.start()
  await clock.advance(15_000)
  expect(done).toEqual(['read web'])
  await stop()
})

test('removes the old place of a move once the new one is deployed', async () => {
  const moved = scene([release('old', 'web'), release('web', 'web')], [settled('web')])
  moved.collector.start()
  await moved.clock.advance(15_000)
  expect(moved.done).toEqual(['read old', 'remove release old'])
  await moved.stop()
  const underWay = scene([release('old', 'web')], [deployment('web', { appliedDeploymentID: 'v0', release: 'apps/old:1' })])
  underWay.collector.start()
  await underWay.clock.advance(15_000)
  expect(underWay.done).toEqual(['read old'])
  await underWay.stop()
})

test('goes on after one that cannot be removed', async () => {
  const { clock, done, collector, stop } = scene([release('broken', 'broken'), release('lost', 'lost')], [])
  collector.start()
  await clock.advance(15_000)
  expect(done).toEqual(['read broken', 'read lost', 'remove deployment lost'])
  await stop()
})
