// Objects for the tests of this folder.
import type { Cluster, ClusterSpec, ClusterStatus } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { ClusterRegistrationToken } from '../api/cluster-registration-token.ts'
import { CLUSTER, CLUSTER_REGISTRATION, CLUSTER_REGISTRATION_TOKEN } from '../api/kinds.ts'
import { type HubConfig, parseHubConfig } from '../config/hub-config.ts'
import type { ObjectMeta } from '../lib/kube/types.ts'
import type { AgentProcessSettings } from './settings.ts'

export const NOW = Date.UTC(2026, 0, 1)
const CREATED = '2026-01-01T00:00:00Z'

export function cluster(spec: ClusterSpec = {}, status: ClusterStatus = {}, metadata: Partial<ObjectMeta> = {}): Cluster {
  return {
    ...CLUSTER,
    metadata: { name: 'one', namespace: 'ws', uid: 'cluster-uid', creationTimestamp: CREATED, ...metadata },
    spec,
    status,
  }
}

export function registration(spec: ClusterRegistration['spec'], metadata: Partial<ObjectMeta> = {}): ClusterRegistration {
  return {
    ...CLUSTER_REGISTRATION,
    metadata: { name: 'request-a', namespace: 'ws', uid: 'request-uid', creationTimestamp: CREATED, ...metadata },
    spec,
  }
}

export function token(spec: ClusterRegistrationToken['spec'] = {}, metadata: Partial<ObjectMeta> = {}): ClusterRegistrationToken {
  return {
    ...CLUSTER_REGISTRATION_TOKEN,
    metadata: { name: 'join', namespace: 'ws', uid: 'token-uid', creationTimestamp: CREATED, ...metadata },
    spec,
  }
}

export function hubConfig(change: Record<string, unknown> = {}): HubConfig {
  const config = {
    apiServerURL: 'https://hub.example.com',
    apiServerCA: Buffer.from('ca').toString('base64'),
    agentImage: 'rancher/fleet-agent:v1',
    ...change,
  }
  return parseHubConfig(JSON.stringify(config), 'v1').config
}

export const PROCESS: AgentProcessSettings = {
  election: { leaseDurationMs: 30_000, retryPeriodMs: 10_000, renewDeadlineMs: 25_000 },
  replicas: 1,
  debugLevel: undefined,
  disableSecurityContext: false,
  passedEnv: {},
}
