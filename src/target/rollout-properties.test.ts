import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RolloutStrategy } from '../api/bundle.ts'
import { planRollout } from './rollout.ts'
import type { RolloutTarget } from './rollout-types.ts'
import { applyPlan, cluster, report, unavailable, versions } from './testing/rollout-world.ts'

const version = fc.constantFrom('v1', 'v2')
const bundleDeployment = fc
  .record({ current: version, staged: version, applied: version, ready: fc.boolean() })
  .map(({ current, staged, applied, ready }) => ({
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'BundleDeployment',
    metadata: { name: 'app' },
    spec: { deploymentID: current, stagedDeploymentID: staged },
    status: { appliedDeploymentID: applied, ready },
  }))

/** Clusters with a label `wave` of 1, 2 or 3; with or without a deployment in any state. */
const targets: fc.Arbitrary<RolloutTarget[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[a-z]{1,3}$/),
      wave: fc.constantFrom('1', '2', '3'),
      deployment: fc.option(bundleDeployment, { nil: undefined }),
    }),
    { selector: ({ name }) => name, maxLength: 12 },
  )
  .map((all) => all.map(({ name, wave, deployment }) => ({ cluster: cluster(name, { wave }), groups: [], deploymentId: 'v2', deployment })))

const size = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom('10%', '50%', '100%'))
const partition = fc.record({
  clusterSelector: fc.constantFrom(...['1', '2', '3'].map((wave) => ({ matchLabels: { wave } }))),
  maxUnavailable: fc.option(size, { nil: undefined }),
})
/** Every wave is in a partition. */
const waves = fc.array(partition, { maxLength: 3 }).map((some) => [...some, { name: 'rest', clusterSelector: {} }])
const strategy: fc.Arbitrary<RolloutStrategy> = fc.record({
  maxUnavailable: fc.option(size, { nil: undefined }),
  maxUnavailablePartitions: fc.constantFrom(undefined, 0, 1),
  autoPartitionSize: fc.option(size, { nil: undefined }),
  autoPartitionThreshold: fc.constantFrom(undefined, 1, 5),
  maxNew: fc.constantFrom(undefined, 1, 3),
  partitions: fc.option(waves, { nil: undefined }),
})

test('a plan breaks no more deployments than allowed', () => {
  fc.assert(
    fc.property(targets, strategy, (before, rolloutStrategy) => {
      const plan = planRollout({ targets: before, strategy: rolloutStrategy, paused: false })
      const existing = (all: RolloutTarget[]) =>
        all.filter(({ cluster: { metadata } }) => before.some((one) => one.deployment && one.cluster.metadata.name === metadata.name))
      const after = unavailable(existing(applyPlan(plan)))
      expect(after).toBeLessThanOrEqual(Math.max(plan.maxUnavailable, unavailable(before)))
      expect(plan.unavailable).toBe(unavailable(applyPlan(plan)))
    }),
  )
})

test('a plan that is made again after it was applied changes nothing', () => {
  fc.assert(
    fc.property(targets, strategy, fc.boolean(), (before, rolloutStrategy, paused) => {
      const plan = planRollout({ targets: before, strategy: rolloutStrategy, paused })
      fc.pre(!plan.moreToCreate)
      const once = applyPlan(plan)
      const twice = planRollout({ targets: once, strategy: rolloutStrategy, paused })
      expect(versions(applyPlan(twice))).toEqual(versions(once))
      expect(twice.unavailable).toBe(plan.unavailable)
    }),
  )
})

test('the order of the targets does not matter', () => {
  const shuffled = targets.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
  fc.assert(
    fc.property(shuffled, strategy, ([one, other], rolloutStrategy) => {
      expect(planRollout({ targets: other, strategy: rolloutStrategy, paused: false })).toEqual(
        planRollout({ targets: one, strategy: rolloutStrategy, paused: false }),
      )
    }),
  )
})

test('every target is reached in the end', () => {
  fc.assert(
    fc.property(targets, strategy, (before, rolloutStrategy) => {
      let world: RolloutTarget[] = before
      for (let round = 0; round < 60; round++)
        world = report(applyPlan(planRollout({ targets: world, strategy: rolloutStrategy, paused: false })))
      expect(versions(world)).toEqual(Object.fromEntries([...before].map(({ cluster: { metadata } }) => [metadata.name, 'v2/v2'])))
    }),
  )
})

test('pausing never changes what runs', () => {
  fc.assert(
    fc.property(targets, strategy, (before, rolloutStrategy) => {
      const after = applyPlan(planRollout({ targets: before, strategy: rolloutStrategy, paused: true }))
      const current = (all: RolloutTarget[]) =>
        Object.fromEntries(
          all
            .filter(({ deployment }) => deployment)
            .map(({ cluster: { metadata }, deployment }) => [metadata.name, deployment?.spec.deploymentID ?? '']),
        )
      expect(current(after)).toMatchObject(current(before))
    }),
  )
})
