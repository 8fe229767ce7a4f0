import { expect, test } from 'vitest'
import type { ClusterSpec } from '../api/cluster.ts'
import { parseYamlDocuments } from '../lib/yaml/parse.ts'
import { agentBundle } from './agent-bundle.ts'
import { agentImage, agentObjects } from './agent-objects.ts'
import { cluster, hubConfig, PROCESS } from './objects.testing.ts'
import type { AgentProcessSettings } from './settings.ts'

interface Pod {
  containers: { env: { name: string; value?: string }[]; command: string[]; securityContext?: object; imagePullPolicy?: string }[]
  tolerations: { key: string }[]
  imagePullSecrets?: { name: string }[]
  securityContext?: object
}

const objects = (spec: ClusterSpec, config = {}, process: Partial<AgentProcessSettings> = {}) =>
  agentObjects({ spec, config: hubConfig(config), process: { ...PROCESS, ...process }, systemNamespace: 'cattle-fleet-system' })
function podOf(...args: Parameters<typeof objects>): Pod {
  const deployment = objects(...args).find(({ kind }) => kind === 'Deployment') as unknown as { spec: { template: { spec: Pod } } }
  return deployment.spec.template.spec
}

test.each([
  ['', '', 'rancher/fleet-agent:v1', 'rancher/fleet-agent:v1'],
  ['', 'registry.io/', 'registry.io/rancher/fleet-agent:v1', 'registry.io/rancher/fleet-agent:v1'],
  ['mine:5000', 'registry.io/', 'registry.io/rancher/fleet-agent:v1', 'mine:5000/rancher/fleet-agent:v1'],
  ['mine:5000', '', 'mine:5000/rancher/fleet-agent:v1', 'mine:5000/rancher/fleet-agent:v1'],
  ['mine:5000/', '', 'rancher/fleet-agent:v1', 'mine:5000/rancher/fleet-agent:v1'],
])('private registry %j, default registry %j: %s becomes %s', (privateRepo, systemDefaultRegistry, image, expected) => {
  expect(agentImage(hubConfig({ agentImage: image, systemDefaultRegistry }), privateRepo)).toBe(expected)
})

test('tolerations come in one order, after the built-in ones', () => {
  const own = [{ key: 'z' }, { key: 'a', value: 'b' }, { key: 'a', value: 'a' }]
  expect(podOf({ agentTolerations: own }).tolerations.slice(2)).toEqual([{ key: 'a', value: 'a' }, { key: 'a', value: 'b' }, { key: 'z' }])
})

test('variables that are passed on stand before those of the cluster, which win', () => {
  const env = (own: { name: string; value: string }[]) =>
    podOf({ agentEnvVars: own }, {}, { passedEnv: { PASSED: '1' } }).containers[0]?.env.slice(8)
  expect(env([{ name: 'OWN', value: '2' }])).toEqual([
    { name: 'PASSED', value: '1' },
    { name: 'OWN', value: '2' },
  ])
  expect(env([{ name: 'PASSED', value: '2' }])).toEqual([{ name: 'PASSED', value: '2' }])
})

test('pull secrets of the cluster stand in place of those of the configuration, an empty list too', () => {
  const config = { imagePullSecrets: [{ name: 'global' }] }
  expect(podOf({}, config).imagePullSecrets).toEqual([{ name: 'global' }])
  expect(podOf({ agentPullSecrets: [{ name: 'own' }] }, config).imagePullSecrets).toEqual([{ name: 'own' }])
  expect(podOf({ agentPullSecrets: [] }, config).imagePullSecrets).toBeUndefined()
})

test('debugging is passed on, and the security context can be left out', () => {
  const pod = podOf({}, {}, { debugLevel: 5, disableSecurityContext: true })
  expect(pod.containers[0]?.command).toEqual(['fleetagent', '--debug', '--debug-level', '5'])
  expect([pod.securityContext, pod.containers[0]?.securityContext]).toEqual([undefined, undefined])
})

test('a disruption budget takes numbers and percentages, and only one of its limits', () => {
  const budget = (podDisruptionBudget: object) => objects({ agentSchedulingCustomization: { podDisruptionBudget } })[0]
  expect(budget({ minAvailable: '1' })).toMatchObject({ kind: 'PodDisruptionBudget', spec: { minAvailable: 1 } })
  expect(budget({ maxUnavailable: '50%' })).toMatchObject({ spec: { maxUnavailable: '50%' } })
  expect(budget({})).toMatchObject({ spec: { maxUnavailable: 0 } })
  expect(() => budget({ minAvailable: '1', maxUnavailable: '1' })).toThrow(/give one of them/)
})

test.each([
  [{ minAvailable: '0', maxUnavailable: '2' }, { maxUnavailable: 2 }],
  [{ minAvailable: '50%', maxUnavailable: '0' }, { minAvailable: '50%' }],
  [{ minAvailable: '0', maxUnavailable: '0' }, { maxUnavailable: 0 }],
  [{ minAvailable: '0' }, { minAvailable: 0 }],
])('a limit of zero in a disruption budget gives way to the other one: %j', (podDisruptionBudget, limit) => {
  const [budget] = objects({ agentSchedulingCustomization: { podDisruptionBudget } })
  expect(budget).toHaveProperty('spec', { ...limit, selector: { matchLabels: { app: 'fleet-agent' } } })
})

test('what a cluster says of its pods is written as other releases write it', () => {
  const pod = podOf(
    {
      agentResources: { limits: { cpu: 2, memory: '1024Mi' }, requests: {} },
      agentTolerations: [{ key: 'a', value: '', effect: '', operator: 'Exists' }],
      agentAffinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [] }] } },
      },
      agentEnvVars: [
        { name: 'EMPTY', value: '' },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      ],
    },
    { agentWorkers: {} },
  )
  const [container] = pod.containers
  expect(container).toHaveProperty('resources', { limits: { cpu: '2', memory: '1Gi' } })
  expect(container?.env[0]).toEqual({ name: 'BUNDLEDEPLOYMENT_RECONCILER_WORKERS' })
  expect(container?.env.slice(8)).toEqual([
    { name: 'EMPTY' },
    { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
  ])
  expect(pod.tolerations[2]).toEqual({ key: 'a', operator: 'Exists' })
  expect(pod).toHaveProperty('affinity', {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}] } },
  })
})

test('the bundle of an agent holds what the import installs', () => {
  const spec = { agentNamespace: 'agents', agentSchedulingCustomization: { priorityClass: { value: 7 } } }
  const input = { config: hubConfig(), process: PROCESS, systemNamespace: 'cattle-fleet-system' }
  const bundle = agentBundle(cluster(spec), input)
  expect(bundle).toMatchObject({
    metadata: { name: 'fleet-agent-one', namespace: 'ws' },
    spec: { defaultNamespace: 'agents', helm: { takeOwnership: true } },
  })
  expect(parseYamlDocuments(bundle.spec.resources?.[0]?.content ?? '')).toEqual(agentObjects({ ...input, spec }))
})
