import { describe, expect, test } from 'vitest'
import { DEFINITIONS } from './definitions.ts'
import { validateObject } from './validate.ts'

function problems(kind: string, parts: object, options = {}): string[] {
  const object = { apiVersion: 'fleet.cattle.io/v1alpha1', kind, metadata: { name: 'x', namespace: 'fleet-default' }, ...parts }
  return validateObject(kind, object, options).map(({ path, message }) => `${path}: ${message}`)
}

describe('what the API server takes', () => {
  test('an empty object of every kind that requires nothing', () => {
    const strict = DEFINITIONS.filter(({ kind }) => problems(kind, {}).length > 0).map(({ kind }) => kind)
    expect(strict).toEqual(['GitRepo', 'ImageScan'])
    expect(problems('GitRepo', {})).toEqual(['spec: is missing: set it'])
  })

  test('null where a field is optional', () => {
    expect(problems('Bundle', { spec: { defaultNamespace: null, helm: null, targets: null, targetCustomizationMode: null } })).toEqual([])
    expect(problems('Bundle', { spec: { rolloutStrategy: { maxUnavailable: null }, namespaceLabels: { a: null } } })).toEqual([])
    expect(problems('Bundle', { spec: null })).toEqual([])
  })

  test.each(['20s', '2h45m10s', '0.5h', '5µs', '0', '0m', '2562047h'])('the duration %s', (pollingInterval) => {
    expect(problems('HelmOp', { spec: { pollingInterval } })).toEqual([])
  })

  test('numbers and percentages', () => {
    expect(problems('Bundle', { spec: { rolloutStrategy: { maxUnavailable: 1, autoPartitionSize: '10%' } } })).toEqual([])
  })

  test('anything in values', () => {
    const values = { a: { b: [null, 1, 'x'] } }
    expect(problems('Bundle', { spec: { helm: { values }, targets: [{ helm: { values } }] } }, { unknownFields: true })).toEqual([])
    expect(problems('Cluster', { spec: { templateValues: values } }, { unknownFields: true })).toEqual([])
  })
})

describe('what it refuses', () => {
  test.each(['2d', 'soon', '5', '-2m', '2562048h', '10 s', '1h '.padEnd(40)])('the duration %j', (pollingInterval) => {
    expect(problems('HelmOp', { spec: { pollingInterval } })).toContain('spec.pollingInterval: write a duration such as 90s, 15m or 1h30m')
  })

  test.each([
    ['GitRepo', { spec: { branch: 'main' } }, 'spec.repo: is missing: set it'],
    ['GitRepo', { spec: { repo: '' } }, 'spec.repo: must not be empty: set it'],
    ['GitRepo', { spec: { repo: null } }, 'spec.repo: write a text, not null'],
    ['GitRepo', { spec: { repo: 'x', caBundle: 'ä' } }, 'spec.caBundle: write base64'],
    ['Bundle', { spec: { targetCustomizationMode: 'Never' } }, 'spec.targetCustomizationMode: write FirstMatch or AllMatches'],
    ['Bundle', { spec: { helm: { releaseName: 'r'.repeat(54) } } }, 'spec.helm.releaseName: write at most 53 characters'],
    ['Bundle', { spec: { targets: 'all' } }, 'spec.targets: write a list, not a text'],
    ['Bundle', { spec: { targets: [{ clusterName: 5 }] } }, 'spec.targets[0].clusterName: write a text, not a number'],
    [
      'Bundle',
      { spec: { rolloutStrategy: { maxUnavailable: 1.5 } } },
      'spec.rolloutStrategy.maxUnavailable: write a whole number or a percentage as text, not a number',
    ],
    ['Cluster', { spec: { paused: 'yes' } }, 'spec.paused: write true or false, not a text'],
    [
      'BundleDeployment',
      { status: { resources: [{ createdAt: 'now' }] } },
      'status.resources[0].createdAt: write a time such as 2026-01-31T12:00:00Z',
    ],
    [
      'Cluster',
      { spec: { agentTolerations: [{ tolerationSeconds: 'x' }] } },
      'spec.agentTolerations[0].tolerationSeconds: write a whole number, not a text',
    ],
  ])('%s %j', (kind, parts, problem) => {
    expect(problems(kind, parts)).toEqual([problem])
  })

  test('release names with capitals', () => {
    expect(problems('Bundle', { spec: { helm: { releaseName: 'Release' } } })[0]).toMatch(
      'spec.helm.releaseName: write a text that matches',
    )
  })

  test('kinds of others', () => {
    expect(() => validateObject('Pod', {})).toThrow('Pod is not a kind of Fleet')
  })
})

test('unknown fields are named on demand', () => {
  const parts = { spec: { defaultnamespace: 'x', helm: { nope: true } } }
  expect(problems('Bundle', parts)).toEqual([])
  expect(problems('Bundle', parts, { unknownFields: true })).toEqual([
    'spec.defaultnamespace: is not a field and would be dropped: write defaultNamespace',
    'spec.helm.nope: is not a field and would be dropped: remove it or correct its name',
  ])
})
