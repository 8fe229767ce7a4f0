// The agent as it is installed: one renderer for the import and for the bundle that carries the agent (spec 3.7).
import { posix } from 'node:path'
import type { ClusterSpec } from '../api/cluster.ts'
import { goAffinity, goEnvVar, goResourceRequirements, goToleration } from '../api/go-types.ts'
import { AGENT_NAME, AGENT_NODE_LABEL } from '../api/labels.ts'
import { safeConcatName } from '../api/names.ts'
import type { EnvVar, Toleration } from '../api/pod-types.ts'
import type { HubConfig } from '../config/hub-config.ts'
import { formatDuration } from '../lib/duration/duration.ts'
import { goList, throughGo } from '../lib/json/go-struct.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { PRIORITY_CLASS_NAME, schedulingObjects } from './agent-scheduling.ts'
import { bindingObject, DEPLOYMENT, roleObject, SERVICE_ACCOUNT } from './kinds.ts'
import type { AgentProcessSettings } from './settings.ts'

/** What the agent of a cluster is rendered from. */
export interface AgentInput {
  readonly spec: ClusterSpec
  readonly config: HubConfig
  readonly process: AgentProcessSettings
  /** Where the agent runs when the cluster names no namespace. */
  readonly systemNamespace: string
}

const NETWORK_POLICY = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' } as const
export const NETWORK_POLICY_NAME = 'default-allow-all'

/** Where the agent of a cluster runs. */
export function agentNamespace({ spec, systemNamespace }: Pick<AgentInput, 'spec' | 'systemNamespace'>): string {
  return spec.agentNamespace || systemNamespace
}

/** The ClusterRole of the agent in a namespace. */
export function agentRoleName(namespace: string): string {
  return safeConcatName(namespace, AGENT_NAME, 'role')
}

/** The ClusterRoleBinding of the agent in a namespace. */
export function agentBindingName(namespace: string): string {
  return safeConcatName(namespace, AGENT_NAME, 'role', 'binding')
}

/**
 * The agent's objects, without its namespace, configuration and secrets. With what is empty they are field by field those of other releases:
 * then the contents of the agent's bundle are too, and an agent whose settings stay the same isn't deployed anew when a hub is taken over (10.8).
 * Throws TerminalError for a disruption budget that says two things.
 */
export function agentObjects(input: AgentInput): KubeObject[] {
  const namespace = agentNamespace(input)
  const role = agentRoleName(namespace)
  const account = { name: AGENT_NAME, namespace }
  return [
    ...schedulingObjects(input.spec, namespace),
    roleObject({ name: role }, [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ]),
    bindingObject({ name: agentBindingName(namespace) }, { kind: 'ClusterRole', name: role }, account),
    { ...SERVICE_ACCOUNT, metadata: account },
    { ...SERVICE_ACCOUNT, metadata: { name: 'default', namespace }, automountServiceAccountToken: false } as KubeObject,
    deployment(input, namespace),
    {
      ...NETWORK_POLICY,
      metadata: { name: NETWORK_POLICY_NAME, namespace },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] },
    } as KubeObject,
  ]
}

function deployment(input: AgentInput, namespace: string): KubeObject {
  const { spec, process } = input
  const selector = { app: AGENT_NAME }
  const object = {
    ...DEPLOYMENT,
    metadata: { name: AGENT_NAME, namespace },
    spec: {
      replicas: process.replicas,
      selector: { matchLabels: selector },
      strategy: spec.hostNetwork ? { type: 'Recreate' } : {},
      template: { metadata: { labels: selector }, spec: podSpec(input) },
    },
  }
  return object
}

function podSpec(input: AgentInput): object {
  const { spec, process } = input
  const pullSecrets = agentPullSecrets(input)
  return {
    serviceAccountName: AGENT_NAME,
    ...(spec.hostNetwork ? { hostNetwork: true } : {}),
    ...(spec.agentSchedulingCustomization?.priorityClass ? { priorityClassName: PRIORITY_CLASS_NAME } : {}),
    ...(pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets.map((name) => ({ name })) } : {}),
    ...(process.disableSecurityContext ? {} : { securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000 } }),
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    affinity: spec.agentAffinity ? throughGo(goAffinity, spec.agentAffinity) : USUAL_AFFINITY,
    tolerations: throughGo(goList(goToleration), [...USUAL_TOLERATIONS, ...[...(spec.agentTolerations ?? [])].sort(byToleration)]),
    containers: [container(input)],
    volumes: ['kube', 'tmp'].map((name) => ({ name, emptyDir: {} })),
  }
}

/** Names of the secrets that the agent's image is pulled with: the cluster's own, or else those of the configuration. */
export function agentPullSecrets({ spec, config }: Pick<AgentInput, 'spec' | 'config'>): readonly string[] {
  const own = spec.agentPullSecrets
  return own ? own.map(({ name }) => name ?? '').filter(Boolean) : config.imagePullSecrets
}

function container(input: AgentInput): object {
  const { spec, config, process } = input
  const debug = process.debugLevel === undefined ? [] : ['--debug', '--debug-level', String(process.debugLevel)]
  return {
    name: AGENT_NAME,
    image: agentImage(config, spec.privateRepoURL ?? ''),
    ...(config.agentImagePullPolicy ? { imagePullPolicy: config.agentImagePullPolicy } : {}),
    command: ['fleetagent', ...debug],
    env: throughGo(goList(goEnvVar), environment(input)),
    resources: throughGo(goResourceRequirements, spec.agentResources ?? {}),
    ...(process.disableSecurityContext ? {} : { securityContext: CONFINED }),
    volumeMounts: [
      { name: 'kube', mountPath: '/.kube' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  }
}

/** The image of the agent: a private registry stands before it, in place of the default one. */
export function agentImage({ agentImage: image, systemDefaultRegistry }: HubConfig, privateRepoURL: string): string {
  if (!privateRepoURL) return image
  const bare = image.startsWith(systemDefaultRegistry) ? image.slice(systemDefaultRegistry.length) : image
  return bare.startsWith(privateRepoURL) ? bare : posix.join(privateRepoURL, bare)
}

function environment({ spec, config, process }: AgentInput): EnvVar[] {
  const { leaseDurationMs, retryPeriodMs, renewDeadlineMs } = process.election
  const own = spec.agentEnvVars ?? []
  const passed = Object.entries(process.passedEnv).filter(([name]) => !own.some((variable) => variable.name === name))
  return [
    { name: 'BUNDLEDEPLOYMENT_RECONCILER_WORKERS', value: config.agentWorkers.bundledeployment },
    { name: 'DRIFT_RECONCILER_WORKERS', value: config.agentWorkers.drift },
    { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'AGENT_SCOPE', ...(spec.agentNamespace ? { value: spec.agentNamespace } : {}) },
    { name: 'CHECKIN_INTERVAL', value: config.agentCheckinInterval },
    { name: 'CATTLE_ELECTION_LEASE_DURATION', value: goDuration(leaseDurationMs) },
    { name: 'CATTLE_ELECTION_RETRY_PERIOD', value: goDuration(retryPeriodMs) },
    { name: 'CATTLE_ELECTION_RENEW_DEADLINE', value: goDuration(renewDeadlineMs) },
    ...passed.map(([name, value]) => ({ name, value })),
    ...own,
  ]
}

function goDuration(ms: number): string {
  return formatDuration(BigInt(Math.round(ms)) * 1_000_000n)
}

const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  privileged: false,
  capabilities: { drop: ['ALL'] },
}

const USUAL_AFFINITY = {
  nodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 1, preference: { matchExpressions: [{ key: AGENT_NODE_LABEL, operator: 'In', values: ['true'] }] } },
    ],
  },
}

const USUAL_TOLERATIONS: readonly Toleration[] = [
  { key: 'node.cloudprovider.kubernetes.io/uninitialized', operator: 'Equal', value: 'true', effect: 'NoSchedule' },
  { key: 'cattle.io/os', operator: 'Equal', value: 'linux', effect: 'NoSchedule' },
]

/** One order, whatever the cluster says: import and bundle must not roll the agent out in turn. */
function byToleration(a: Toleration, b: Toleration): number {
  for (const field of ['key', 'value', 'operator', 'effect'] as const) {
    const [left, right] = [a[field] ?? '', b[field] ?? '']
    if (left !== right) return left < right ? -1 : 1
  }
  return (a.tolerationSeconds ?? -Infinity) < (b.tolerationSeconds ?? -Infinity) ? -1 : 1
}
