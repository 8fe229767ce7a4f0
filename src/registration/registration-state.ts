// What a registration says of itself: condition `Granted`, and `LabelsAccepted` when some were left out.
import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration, ClusterRegistrationStatus } from '../api/cluster-registration.ts'
import { CLUSTER_MANAGEMENT_LABEL, CREATED_BY_AGENT_POD_LABEL, REGISTRATION_TOKEN_LABEL } from '../api/labels.ts'
import { type ConditionUpdate, setCondition } from '../lib/controller/conditions.ts'
import type { EventInput } from '../lib/controller/events.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Grant } from './grant.ts'
import { labelsCondition } from './registration-labels.ts'

/** The type of the condition. */
export const GRANTED = 'Granted'

/** Granted: to which cluster, and whatever will keep the agent from using it. `others` are clusters with the same client id. */
export function grantedCondition({ request, cluster, token }: Grant, others: readonly Cluster[]): ConditionUpdate {
  const { name, namespace = '' } = request.metadata
  if (!token) {
    const label = request.metadata.labels?.[REGISTRATION_TOKEN_LABEL]
    const what = label
      ? `registration token ${namespace}/${label} is gone`
      : `registration ${name} has no label ${REGISTRATION_TOKEN_LABEL} that names its token`
    return granted('TokenMissing', `${what}, so the agent cannot fetch its credential: give the agent a new token to register with`)
  }
  const message = `the agent is that of cluster ${keyOf(cluster)}`
  if (others.length === 0) return granted('Granted', message)
  const names = others.map(keyOf).sort().slice(0, 5).join(', ')
  return granted('ClientIDShared', `${message}; the same spec.clientID have: ${names}, which no agent can register as`)
}

/** The cluster is known, but not ready to be given away. */
export function pendingCondition(cluster: Cluster): ConditionUpdate {
  const key = keyOf(cluster)
  const [reason, message] = cluster.metadata.labels?.[CLUSTER_MANAGEMENT_LABEL]
    ? ['ManagedElsewhere', `cluster ${key} has the label ${CLUSTER_MANAGEMENT_LABEL}: whoever set it grants its registrations`]
    : ['WaitingForNamespace', `waits until cluster ${key} has its namespace: see its condition Processed`]
  return { type: GRANTED, status: 'Unknown', reason, message }
}

/** The conditions of a registration with one of them set, and what is to be said of its labels. */
export function conditionsOf(request: ClusterRegistration, update: ConditionUpdate, now: number): ClusterRegistrationStatus['conditions'] {
  const labels = labelsCondition(request)
  return [update, ...(labels ? [labels] : [])].reduce((list, next) => setCondition(list, next, now), request.status?.conditions ?? [])
}

/** Told to the cluster when a registration ends others: usual after a new installation, and the only sign of two agents that share a client id. */
export function replacedEvent(request: ClusterRegistration, ended: readonly ClusterRegistration[]): EventInput {
  const names = ended
    .map(({ metadata }) => metadata.name)
    .sort()
    .slice(0, 5)
    .join(', ')
  const pod = request.spec.clusterLabels?.[CREATED_BY_AGENT_POD_LABEL]
  const note = `registration ${request.metadata.name}${pod ? ` of pod ${pod}` : ''} takes the place of ${names}, whose credential has ended; when this goes on, two clusters have agents with the same clientID`
  return { type: 'Normal', reason: 'RegistrationReplaced', action: 'GrantRegistration', note }
}

function granted(reason: string, message: string): ConditionUpdate {
  return { type: GRANTED, status: 'True', reason, message }
}
