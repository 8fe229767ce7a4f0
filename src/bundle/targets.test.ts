import { describe, expect, test } from 'vitest'
import { parseFleetYaml } from './fleet-yaml.ts'
import { assembleTargets, gitRepoTargets } from './targets.ts'

const fleet = (text: string) => parseFleetYaml(text, 'fleet.yaml').fleet
const GIVEN = gitRepoTargets([{ name: 'all', clusterSelector: {} }])

describe('assembleTargets', () => {
  test('nothing anywhere is the group default, without restriction', () => {
    expect(assembleTargets(fleet(''), undefined)).toEqual({ targets: [{ name: 'default', clusterGroup: 'default' }] })
  })

  test('targets and customizations come first, are numbered together and are no restrictions', () => {
    const text = 'targets: [{clusterSelector: {}}]\ntargetCustomizations: [{clusterGroup: a}, {name: own, clusterName: c}]'
    expect(assembleTargets(fleet(text), GIVEN)).toEqual({
      targets: [
        { name: 'target000', clusterSelector: {} },
        { name: 'target001', clusterGroup: 'a' },
        { name: 'own', clusterName: 'c' },
        { name: 'all', clusterSelector: {} },
      ],
      targetRestrictions: [{ name: 'all', clusterSelector: {} }],
    })
  })

  test('overrides take the place of what is given, as targets and restrictions', () => {
    expect(assembleTargets(fleet('overrideTargets: [{clusterName: c}]'), GIVEN)).toEqual({
      targets: [{ clusterName: 'c' }],
      targetRestrictions: [{ clusterName: 'c' }],
    })
  })

  test('empty overrides leave customizations as plain targets, or the group default', () => {
    expect(assembleTargets(fleet('overrideTargets: []\ntargetCustomizations: [{name: a, clusterName: c}]'), GIVEN)).toEqual({
      targets: [{ name: 'a', clusterName: 'c' }],
    })
    expect(assembleTargets(fleet('overrideTargets: []'), GIVEN)).toEqual({ targets: [{ name: 'default', clusterGroup: 'default' }] })
    expect(assembleTargets(fleet('overrideTargets:'), GIVEN).targets).toEqual([{ name: 'all', clusterSelector: {} }])
  })

  test('restrictions written by hand are kept', () => {
    expect(assembleTargets(fleet('targetRestrictions: [{clusterGroup: g}]'), GIVEN).targetRestrictions).toEqual([
      { clusterGroup: 'g' },
      { name: 'all', clusterSelector: {} },
    ])
  })

  test('a target with helm options inherits chart, repo and version', () => {
    const text = 'helm: {chart: c, repo: r, version: "1"}\ntargetCustomizations: [{name: a, helm: {version: "2"}}, {name: b, namespace: x}]'
    expect(assembleTargets(fleet(text), undefined).targets).toEqual([
      { name: 'a', helm: { repo: 'r', chart: 'c', version: '2' } },
      { name: 'b', namespace: 'x' },
    ])
  })

  test('targets from elsewhere are left as they are', () => {
    const given = { targets: [{ name: 'a', helm: { values: { x: 1 } } }], targetRestrictions: [] }
    expect(assembleTargets(fleet('helm: {chart: c}'), given).targets).toEqual(given.targets)
  })
})

test('a GitRepo without targets has the group default as target and restriction', () => {
  for (const targets of [undefined, null, []]) {
    expect(gitRepoTargets(targets)).toEqual({
      targets: [{ name: 'default', clusterGroup: 'default' }],
      targetRestrictions: [{ name: 'default', clusterGroup: 'default' }],
    })
  }
})
