// Installs the agent in a cluster: what ties it to an old registration goes, then the objects of its set are applied (spec 3.2).
import type { Cluster } from '../api/cluster.ts'
import { AGENT_NAME, CONTROLLER_CONFIG_NAME, SET_HASH_LABEL } from '../api/labels.ts'
import { registrationNamespace, setId } from '../api/names.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { type AgentInput, agentNamespace, agentObjects } from './agent-objects.ts'
import { DISRUPTION_BUDGET, PRIORITY_CLASS } from './agent-scheduling.ts'
import { type AgentStart, startObjects } from './import-objects.ts'
import { CLUSTER_ROLE, CLUSTER_ROLE_BINDING, CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET, SERVICE_ACCOUNT } from './kinds.ts'
import { carryOut, type LiveSet, planSet } from './object-set.ts'
import { removeAgent, stopAgent } from './remove-agent.ts'
import { hashOfSet } from './set-identity.ts'

/** Everything that an installation is made of. */
interface Installation extends Omit<AgentStart, 'namespace'> {
  readonly process: AgentInput['process']
}

/** Namespace of agents unless somebody says otherwise. */
const USUAL_NAMESPACE = 'cattle-fleet-system'
const MEMBER_KINDS = [
  SERVICE_ACCOUNT,
  SECRET,
  CONFIG_MAP,
  DEPLOYMENT,
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  CLUSTER_ROLE,
  CLUSTER_ROLE_BINDING,
  PRIORITY_CLASS,
  DISRUPTION_BUDGET,
]
const PARALLEL = 16

/** Id of the set of an agent's objects, by the namespace that the cluster asks for; the agent computes the same for its own bundle. */
export function agentSetId({ spec }: Cluster): string {
  return setId('', AGENT_NAME, spec.agentNamespace ?? '').id
}

/** Installs the agent. Whatever is done is done again without harm when it is cut off. */
export async function installAgent(downstream: KubeClient, installation: Installation): Promise<void> {
  const { cluster, systemNamespace } = installation
  const set = { id: agentSetId(cluster) }
  const namespace = agentNamespace({ spec: cluster.spec, systemNamespace })
  // everything is rendered before anything is touched
  const desired = [...startObjects({ ...installation, namespace }), ...agentObjects({ ...installation, spec: cluster.spec })]
  const former = cluster.status?.agent?.namespace
  if (former && former !== namespace) await removeAgent(downstream, former, hashOfSet(set))
  await stopAgent(downstream, namespace)
  await carryOut(downstream, planSet(set, desired, await liveSet(downstream, desired, hashOfSet(set))))
  if (systemNamespace !== USUAL_NAMESPACE) await removeLeftOver(downstream, namespace)
}

async function liveSet(client: KubeClient, desired: readonly KubeObject[], hash: string): Promise<LiveSet> {
  const labelSelector = `${SET_HASH_LABEL}=${hash}`
  const [found, members] = await Promise.all([
    inParallel(desired, PARALLEL, (object) => client.find(refOf(object))),
    inParallel(MEMBER_KINDS, PARALLEL, (type) => client.list(type, { labelSelector })),
  ])
  const byKey = new Map(found.filter((object) => object !== undefined).map((object) => [keyOfRef(refOf(object)), object]))
  return { find: (ref) => byKey.get(keyOfRef(ref)), members: members.flatMap(({ items }) => items) }
}

/** What stayed behind when the hub moved from the usual namespace to another one; where a hub still is in it, that is somebody else's. */
async function removeLeftOver(client: KubeClient, agentsNamespace: string): Promise<void> {
  if (await client.find({ ...CONFIG_MAP, name: CONTROLLER_CONFIG_NAME, namespace: USUAL_NAMESPACE })) return
  if (agentsNamespace !== USUAL_NAMESPACE) await removeFormerAgent(client)
  await client.delete({ ...NAMESPACE, name: registrationNamespace(USUAL_NAMESPACE) })
}

/** Never one that carries the stamp of something else. */
async function removeFormerAgent(client: KubeClient): Promise<void> {
  const hash = hashOfSet({ id: setId('', AGENT_NAME, '').id })
  const deployment = await client.find({ ...DEPLOYMENT, name: AGENT_NAME, namespace: USUAL_NAMESPACE })
  if (deployment?.metadata.labels?.[SET_HASH_LABEL] === hash) await removeAgent(client, USUAL_NAMESPACE, hash)
}

function keyOfRef({ kind, namespace = '', name }: ObjectRef): string {
  return `${kind}|${namespace}|${name}`
}
