import { describe, expect, test } from 'vitest'
import type { BundleSpec } from '../api/bundle.ts'
import type { ObjectMeta } from '../lib/kube/types.ts'
import type { Contents } from './contents.ts'
import { belongsTo, type DeploymentStep, desiredDeployment } from './desired.ts'
import { bundle, cluster, deployment, target } from './testing/objects.ts'

const stored: Contents = { kind: 'stored', id: 's-new' }
const old = deployment({
  deploymentID: 's-old:1',
  stagedDeploymentID: 's-old:1',
  options: { namespace: 'old' },
  stagedOptions: { namespace: 'old' },
})

interface Given {
  spec?: BundleSpec
  metadata?: Partial<ObjectMeta>
  contents?: Contents
  before?: typeof old
  cluster?: ReturnType<typeof cluster>
  stage?: boolean
  promote?: boolean
}

function desired({
  spec = {},
  metadata = {},
  contents = stored,
  before,
  cluster: on = cluster('one'),
  stage = true,
  promote = true,
}: Given) {
  const one = target({ cluster: on, storedOptions: { namespace: 'new' } })
  const step: DeploymentStep = {
    target: { target: one, cluster: on, groups: [], deploymentId: one.deploymentId, deployment: before },
    create: !before,
    stage,
    promote,
  }
  return desiredDeployment(bundle(spec, metadata), contents, step)
}

describe('versions', () => {
  test('a new deployment has one version, staged and current', () => {
    expect(desired({}).spec).toEqual({
      options: { namespace: 'new' },
      deploymentID: 's-new:1',
      stagedOptions: { namespace: 'new' },
      stagedDeploymentID: 's-new:1',
    })
  })

  test('one that is only staged keeps what it runs, with its content and where that comes from', () => {
    const before = { ...old, spec: { ...old.spec, ociContents: true } }
    const { spec, metadata } = desired({ before, promote: false })
    expect(spec).toMatchObject({ options: { namespace: 'old' }, deploymentID: 's-old:1', stagedDeploymentID: 's-new:1', ociContents: true })
    expect(metadata.labels?.['fleet.cattle.io/content-name']).toBeUndefined()
    expect(desired({ before: old, promote: false }).metadata.labels?.['fleet.cattle.io/content-name']).toBe('s-old')
    expect(desired({ before: old }).metadata.labels?.['fleet.cattle.io/content-name']).toBe('s-new')
  })

  test('one that is not reached keeps both', () => {
    expect(desired({ before: old, stage: false, promote: false }).spec).toEqual(old.spec)
  })

  test('one that is created paused has no current version', () => {
    const { spec, metadata } = desired({ spec: { paused: true }, promote: false })
    expect(spec).toEqual({ paused: true, options: {}, stagedOptions: { namespace: 'new' }, stagedDeploymentID: 's-new:1' })
    expect(metadata.labels?.['fleet.cattle.io/content-name']).toBe('s-new')
  })
})

test('charts and registries have no content, and say so', () => {
  const chart = desired({
    spec: { helmOpOptions: { helmOpSecretName: 'pull', helmOpInsecureSkipTLSVerify: false } },
    contents: { kind: 'chart', id: '' },
  })
  expect(chart.spec.helmChartOptions).toEqual({ helmOpSecretName: 'pull' })
  const registry = desired({ contents: { kind: 'registry', id: 's-new' } })
  expect(registry.spec.ociContents).toBe(true)
  for (const { metadata } of [chart, registry]) expect(metadata.labels?.['fleet.cattle.io/content-name']).toBeUndefined()
})

test('what concerns the agent but not the version follows at once', () => {
  const on = cluster('one', {}, { scheduled: true })
  const dependsOn = [{ name: 'database', acceptedStates: [] }, { selector: { matchLabels: { a: '' } } }]
  const { spec } = desired({ before: old, stage: false, promote: false, cluster: on, spec: { paused: true, dependsOn } })
  expect(spec).toMatchObject({
    paused: true,
    offSchedule: true,
    dependsOn: [{ name: 'database' }, { selector: { matchLabels: { a: '' } } }],
  })
  expect(desired({ before: { ...old, spec: { ...old.spec, paused: true, offSchedule: true } } }).spec).not.toHaveProperty('paused')
})

test('labels are those of the bundle, but for the bookkeeping of others, and annotations stay', () => {
  const labels = { team: 'blue', 'fleet.cattle.io/commit': 'abc', 'management.cattle.io/x': 'y', 'kubectl.kubernetes.io/z': '1' }
  const before = { ...old, metadata: { ...old.metadata, labels: { stray: 'x' }, annotations: { note: 'kept' }, finalizers: ['other'] } }
  const { metadata } = desired({ before, metadata: { labels } })
  expect(metadata.labels).toEqual({
    team: 'blue',
    'fleet.cattle.io/commit': 'abc',
    'fleet.cattle.io/bundle-name': 'app',
    'fleet.cattle.io/bundle-namespace': 'ws',
    'fleet.cattle.io/managed': 'true',
    'fleet.cattle.io/cluster': 'one',
    'fleet.cattle.io/cluster-namespace': 'ws',
    'fleet.cattle.io/content-name': 's-new',
  })
  expect([metadata.annotations, metadata.finalizers]).toEqual([{ note: 'kept' }, ['other', 'fleet.cattle.io/bundle-deployment-finalizer']])
})

describe('a deployment of the name of the bundle', () => {
  const labelled = (labels: Record<string, string>) =>
    belongsTo(bundle(), deployment({}, {}, { labels }), (namespace) => namespace === 'other')

  test('is its own, also if somebody took labels away or made them name what is not there', () => {
    const [name, namespace] = ['fleet.cattle.io/bundle-name', 'fleet.cattle.io/bundle-namespace']
    expect(labelled({ [name]: 'app', [namespace]: 'ws' })).toBe(true)
    expect(labelled({})).toBe(true)
    expect(labelled({ [name]: 'stray', [namespace]: 'ws' })).toBe(true)
    expect(labelled({ [name]: 'app', [namespace]: 'nowhere' })).toBe(true)
    expect(labelled({ [name]: 'app', [namespace]: 'other' })).toBe(false)
  })
})
