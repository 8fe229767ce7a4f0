// Link `agent`: has the agent of the cluster registered, and does it report? (spec 3.5, 3.9)
import type { Cluster } from '../api/cluster.ts'
import { CLUSTER_MANAGEMENT_LABEL } from '../api/labels.ts'
import { deploymentState } from '../api/state.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { conditionWith, type Finding, sinceOf, timeIn } from './finding.ts'
import type { Pair } from './pair.ts'
import { isApplied } from './rollout.ts'
import type { World } from './world.ts'

/** One report may be late and one lost. */
const MISSED_REPORTS = 3
const LEAST_PATIENCE_MS = 60_000

function found(state: Finding['state'], reason: string, message: string, since: string | undefined): Finding {
  return { link: 'agent', state, reason, message, since }
}

/** Of a deployment: what its agent has done counts more than when it was last heard of. */
export function checkAgent({ cluster, deployment, where }: Pair, world: World): Finding | undefined {
  if (!cluster) return undefined
  const silence = checkHeartbeat(cluster, world)
  if (!silence || !deployment) return silence
  const hasActed = isApplied(deployment) || conditionWith(deployment.status?.conditions, 'Deployed', 'False') !== undefined
  if (silence.reason !== 'AgentOffline') return hasActed ? undefined : silence
  const state = deploymentState(deployment)
  const last = `last known state: ${state}`
  if (state === 'Ready') return { ...silence, state: 'unknown', message: `${silence.message}; ${last}` }
  return { ...silence, message: `${silence.message}; until then nothing changes on cluster ${where}, ${last}` }
}

/** Of a cluster: never seen, or silent for too long. */
export function checkHeartbeat(cluster: Cluster, world: World): Finding | undefined {
  const { status } = cluster
  const lastSeen = timeIn(status?.agent?.lastSeen)
  if (!lastSeen) return neverSeen(cluster, world)
  const silence = world.now - Date.parse(lastSeen)
  const told = getCondition(status?.conditions, 'Connected')?.status
  const isLate = silence > Math.max(MISSED_REPORTS * world.checkinIntervalMs, LEAST_PATIENCE_MS)
  // The hub knows how often the agent is to report, but says nothing more when it is down itself.
  if (told === 'True' || (told !== 'False' && !isLate)) return undefined
  const hint = cluster.spec.kubeConfigSecret ? ', or raise spec.redeployAgentGeneration to install it again' : ''
  const message = `the agent of cluster ${keyOf(cluster)} has not reported since ${lastSeen}: see that it runs and reaches the hub${hint}`
  return found('blocked', 'AgentOffline', message, lastSeen)
}

function neverSeen(cluster: Cluster, world: World): Finding {
  const { metadata, spec, status } = cluster
  const name = keyOf(cluster)
  const since = timeIn(metadata.creationTimestamp)
  const own = world.registrations
    .in(metadata.namespace ?? '')
    .filter((registration) => isOf(registration.spec.clientID, registration.status?.clusterName, cluster))
  const granted = own.find((registration) => registration.status?.granted)
  if (granted)
    return found(
      'waiting',
      'AgentNotSeen',
      `the agent of cluster ${name} has its credentials (registration ${granted.metadata.name}) and has not reported yet: see that it runs and reaches the hub`,
      since,
    )
  const [asked] = own
  if (asked)
    return found(
      'waiting',
      'RegistrationPending',
      `cluster ${name} waits until its registration ${asked.metadata.name} is granted`,
      timeIn(asked.metadata.creationTimestamp) ?? since,
    )
  if (metadata.labels?.[CLUSTER_MANAGEMENT_LABEL])
    return found(
      'waiting',
      'AgentNotSeen',
      `the agent of cluster ${name} is managed by ${metadata.labels[CLUSTER_MANAGEMENT_LABEL]} and has never reported`,
      since,
    )
  if (!spec.kubeConfigSecret)
    return found(
      'blocked',
      'AgentNotSeen',
      `no agent has registered for cluster ${name}: install one with ${spec.clientID ? `client id ${spec.clientID}` : 'the client id of the cluster'}`,
      since,
    )
  const imported = conditionWith(status?.conditions, 'Imported', 'True')
  if (imported)
    return found(
      'waiting',
      'AgentNotSeen',
      `the agent of cluster ${name} is installed and has never reported: see that it starts and reaches the hub`,
      sinceOf(imported) ?? since,
    )
  return found('waiting', 'AgentNotInstalled', `cluster ${name} waits for its agent to be installed: see its condition Imported`, since)
}

function isOf(clientID: string | undefined, clusterName: string | undefined, { metadata, spec }: Cluster): boolean {
  return clusterName === metadata.name || (Boolean(clientID) && clientID === spec.clientID)
}
