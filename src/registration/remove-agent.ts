// Takes an agent out of a cluster, and before it is installed again takes away what ties it to its old registration (spec 3.2).
import { AGENT_BOOTSTRAP_NAME, AGENT_NAME, SET_HASH_LABEL } from '../api/labels.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { ObjectRef } from '../lib/kube/types.ts'
import { agentBindingName, agentRoleName, NETWORK_POLICY_NAME } from './agent-objects.ts'
import { DISRUPTION_BUDGET, DISRUPTION_BUDGET_NAME, PRIORITY_CLASS, PRIORITY_CLASS_NAME } from './agent-scheduling.ts'
import { CLUSTER_ROLE, CLUSTER_ROLE_BINDING, CONFIG_MAP, DEPLOYMENT, SECRET, SERVICE_ACCOUNT } from './kinds.ts'

const STATEFUL_SET = { apiVersion: 'apps/v1', kind: 'StatefulSet' }
const NETWORK_POLICY = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }
const PARALLEL = 16

/**
 * Removes the running agent with its credentials: one that keeps running would not notice new ones. The rest is applied over what is there.
 * The workload goes first, so that it does not register once more.
 */
export async function stopAgent(client: KubeClient, namespace: string): Promise<void> {
  const workloads = [
    { ...DEPLOYMENT, name: AGENT_NAME, namespace },
    { ...STATEFUL_SET, name: AGENT_NAME, namespace },
  ]
  const secrets = [AGENT_NAME, AGENT_BOOTSTRAP_NAME].map((name) => ({ ...SECRET, name, namespace }))
  await removeAll(client, workloads)
  await removeAll(client, secrets)
}

/** Removes an agent and all that came with it; its namespace stays. `setHash` tells its cluster-wide objects from those of others. */
export async function removeAgent(client: KubeClient, namespace: string, setHash: string): Promise<void> {
  await stopAgent(client, namespace)
  await removeAll(client, [
    { ...CONFIG_MAP, name: AGENT_NAME, namespace },
    { ...SERVICE_ACCOUNT, name: AGENT_NAME, namespace },
    { ...NETWORK_POLICY, name: NETWORK_POLICY_NAME, namespace },
    { ...DISRUPTION_BUDGET, name: DISRUPTION_BUDGET_NAME, namespace },
    { ...CLUSTER_ROLE_BINDING, name: agentBindingName(namespace) },
    { ...CLUSTER_ROLE, name: agentRoleName(namespace) },
  ])
  const priority = await client.find({ ...PRIORITY_CLASS, name: PRIORITY_CLASS_NAME })
  if (priority?.metadata.labels?.[SET_HASH_LABEL] === setHash) await removeAll(client, [{ ...PRIORITY_CLASS, name: PRIORITY_CLASS_NAME }])
}

async function removeAll(client: KubeClient, refs: readonly ObjectRef[]): Promise<void> {
  await inParallel(refs, PARALLEL, (ref) => client.delete(ref, { propagationPolicy: 'Background' }))
}
