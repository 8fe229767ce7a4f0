// Where a cluster is on its way into the fleet, in words: condition `Connected`. Nobody else needs it; people who wait do.
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration } from '../api/cluster-registration.ts'
import type { ConditionUpdate } from '../lib/controller/conditions.ts'
import { parseDurationMs } from '../lib/duration/duration.ts'
import { sharedIdMessage } from './client-id.ts'

/** What is known beside the cluster itself. */
interface ConnectionFacts {
  /** Those that became the cluster or may become it. */
  readonly registrations: readonly ClusterRegistration[]
  /** An older cluster that has the same client id. */
  readonly rival: Cluster | undefined
  /** Go duration; `0s` for the agent's default. */
  readonly checkinInterval: string
  /** The configuration says that the cluster has no agent. */
  readonly agentDisabled: boolean
}

/** The condition, and when it changes if nothing happens (milliseconds). */
interface ConnectionState {
  readonly condition: ConditionUpdate
  readonly changesAt?: number
}

const TYPE = 'Connected'
/** What an agent uses that is told no interval (spec 0.4). */
const USUAL_INTERVAL_MS = 15 * 60_000
/** This many reports may be missed: one may be late and one lost. */
const MISSED = 3
const LEAST_PATIENCE_MS = 60_000

/** Decides about the condition; `now` is in milliseconds. */
export function connectionState(cluster: Cluster, facts: ConnectionFacts, now: number): ConnectionState {
  if (facts.agentDisabled)
    return state('Unknown', 'AgentDisabled', 'the configuration switches the agent of this cluster off (bootstrap.localAgentDisabled)')
  if (facts.rival) return state('False', 'ClientIDTaken', sharedIdMessage(facts.rival))
  const text = cluster.status?.agent?.lastSeen ?? ''
  const lastSeen = Date.parse(text)
  if (Number.isNaN(lastSeen)) return notSeen(cluster, facts)
  if (facts.registrations.length === 0) return state('False', 'CredentialExpired', expired(cluster, text))
  const changesAt = lastSeen + patienceMs(facts.checkinInterval)
  if (now <= changesAt) return { condition: { type: TYPE, status: 'True', reason: 'Connected' }, changesAt: changesAt + 1 }
  const since = `the agent has not reported since ${text}, what is known of the cluster is of that time: see that the agent runs and reaches the management cluster`
  return state(
    'False',
    'Disconnected',
    cluster.spec.kubeConfigSecret ? `${since}, or raise spec.redeployAgentGeneration to install it again` : since,
  )
}

/** Nobody may have been told by the agent: it cannot say anything any more. */
function expired({ spec }: Cluster, lastSeen: string): string {
  const what = `the credential of the agent has ended, its registration is gone; it last reported at ${lastSeen}`
  return spec.kubeConfigSecret
    ? `${what}: the agent is installed again, see condition Imported`
    : `${what}: install chart fleet-agent in the cluster again, with a registration token and the same clientID`
}

function notSeen({ spec, status }: Cluster, { registrations }: ConnectionFacts): ConnectionState {
  const newestFirst = [...registrations].sort(byAge)
  const granted = newestFirst.find((registration) => registration.status?.granted)
  if (granted)
    return state('Unknown', 'Registering', `registration ${granted.metadata.name} is granted: waits for the first report of the agent`)
  const [asked] = newestFirst
  if (asked) return state('Unknown', 'Registering', `waits until registration ${asked.metadata.name} is granted`)
  if (!spec.kubeConfigSecret) return state('Unknown', 'Pending', 'waits for an agent to register with the client id of this cluster')
  const installed = status?.agentDeployedGeneration !== undefined && status.agentDeployedGeneration !== null
  if (!installed) return state('Unknown', 'Pending', 'waits for the agent to be installed: see condition Imported')
  return state('Unknown', 'Registering', 'the agent is installed: waits until it starts and registers')
}

/** Of the same second, the one of the later name: any order will do, if it is always the same. */
function byAge({ metadata: a }: ClusterRegistration, { metadata: b }: ClusterRegistration): number {
  const [left, right] = [`${a.creationTimestamp} ${a.name}`, `${b.creationTimestamp} ${b.name}`]
  return left < right ? 1 : -1
}

function state(status: 'False' | 'Unknown', reason: string, message: string): ConnectionState {
  return { condition: { type: TYPE, status, reason, message } }
}

function patienceMs(interval: string): number {
  return Math.max(MISSED * (parseDurationMs(interval) || USUAL_INTERVAL_MS), LEAST_PATIENCE_MS)
}
