import { describe, expect, test } from 'vitest'
import type { BundleSpec, BundleTarget } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import type { ClusterGroup } from '../api/cluster-group.ts'
import { compileTargets } from './customize.ts'

const everywhere: BundleTarget = { clusterSelector: {} }
const prod: BundleTarget = { clusterSelector: { matchLabels: { env: 'prod' } } }

function cluster(name: string, labels: Record<string, string> = {}): Cluster {
  return { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'Cluster', metadata: { name, namespace: 'ws', labels }, spec: {} }
}

function group(name: string, labels: Record<string, string> = {}): ClusterGroup {
  return { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'ClusterGroup', metadata: { name, namespace: 'ws', labels }, spec: {} }
}

function choose(spec: BundleSpec, one = cluster('one', { env: 'prod' }), groups: ClusterGroup[] = []) {
  return compileTargets(spec)({ cluster: one, groups })
}

describe('targets', () => {
  test('the first one that matches is chosen', () => {
    expect(choose({ targets: [{ clusterName: 'two' }, prod, everywhere] })).toEqual({ target: 1, customizations: [] })
  })

  test('criteria that are empty or null do not count, and none at all match nothing', () => {
    const empty = { clusterName: '', clusterGroup: '', clusterSelector: null, clusterGroupSelector: null } as unknown as BundleTarget
    expect(choose({ targets: [{}, empty] })).toBeUndefined()
    expect(choose({ targets: [{ ...empty, clusterName: 'one' }] })).toBeDefined()
  })

  test('without groups an empty group selector matches, one with labels does not', () => {
    expect(choose({ targets: [{ clusterGroupSelector: {} }] })).toBeDefined()
    expect(choose({ targets: [{ clusterGroupSelector: { matchLabels: { tier: 'gold' } } }] })).toBeUndefined()
  })

  test('a restriction must hold under the same group as the target', () => {
    const groups = [group('a'), group('b')]
    const spec = { targets: [{ clusterGroup: 'a' }], targetRestrictions: [{ clusterGroup: 'b' }] }
    expect(choose(spec, cluster('one'), groups)).toBeUndefined()
    expect(
      choose({ ...spec, targetRestrictions: [{ clusterGroup: 'b' }, { clusterName: 'one' }].slice(1) }, cluster('one'), groups),
    ).toBeDefined()
  })

  test('doNotDeploy of the chosen target keeps the bundle away', () => {
    expect(choose({ targets: [{ ...prod, doNotDeploy: true }, everywhere] })).toBeUndefined()
    expect(choose({ targets: [everywhere, { ...prod, doNotDeploy: true }] })).toBeDefined()
  })

  test('an operator that does not exist is an error', () => {
    const clusterSelector = { matchExpressions: [{ key: 'a', operator: 'Near', values: ['x'] }] }
    expect(() => compileTargets({ targets: [{ clusterSelector }] })).toThrow('Near')
  })
})

describe('customizations', () => {
  const targets: BundleTarget[] = [{ clusterName: 'other' }, prod, everywhere, everywhere]

  test('are the leading targets that have no restriction of their own', () => {
    expect(choose({ targets, targetRestrictions: [{ clusterSelector: {} }] })).toEqual({ target: 3, customizations: [1] })
    expect(choose({ targets, targetRestrictions: [{ clusterSelector: {} }], targetCustomizationMode: 'AllMatches' })).toEqual({
      target: 3,
      customizations: [1, 2],
    })
  })

  test('do not exist in a bundle without restrictions, or with more restrictions than targets', () => {
    expect(choose({ targets: [prod, everywhere] })).toEqual({ target: 0, customizations: [] })
    expect(choose({ targets: [everywhere], targetRestrictions: [{ clusterName: 'x' }, { clusterName: 'one' }] })).toEqual({
      target: 0,
      customizations: [],
    })
  })

  test('are not restricted themselves', () => {
    expect(choose({ targets: [prod, { clusterName: 'one' }], targetRestrictions: [{ clusterName: 'one' }] })).toEqual({
      target: 1,
      customizations: [0],
    })
  })

  test('with doNotDeploy stop the bundle if they are the first to match, or in mode AllMatches any of them', () => {
    const stop: BundleTarget = { ...prod, doNotDeploy: true }
    const restricted = { targetRestrictions: [{ clusterSelector: {} }] }
    expect(choose({ ...restricted, targets: [stop, everywhere] })).toBeUndefined()
    expect(choose({ ...restricted, targets: [prod, stop, everywhere] })).toBeDefined()
    expect(choose({ ...restricted, targets: [prod, stop, everywhere], targetCustomizationMode: 'AllMatches' })).toBeUndefined()
  })
})
