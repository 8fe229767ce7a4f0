// The management cluster without an agent of its own: `bootstrap.localAgentDisabled` (spec 3.2).
import type { Cluster } from '../api/cluster.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { agentNamespace } from './agent-objects.ts'
import { changeStatus } from './change-status.ts'
import { openDownstream } from './downstream.ts'
import { agentSetId } from './install-agent.ts'
import { NAMESPACE, secretText } from './kinds.ts'
import type { KubeconfigSecrets } from './kubeconfig-secret.ts'
import { removeAgent } from './remove-agent.ts'
import { hashOfSet } from './set-identity.ts'
import type { RegistrationDeps } from './settings.ts'

const OWNED = ['agent', 'agentDeployedGeneration', 'agentConfigChanged']

/** Removes the agent of the cluster `local` if it is installed. The bundle of the agent is removed by its own controller. */
export async function removeLocalAgent(deps: RegistrationDeps, secrets: KubeconfigSecrets, cluster: Cluster): Promise<void> {
  const { client, clock, config, settings, log } = deps
  const { spec, status } = deps.statuses.latest(cluster)
  if (status?.agentDeployedGeneration === undefined || status.agentDeployedGeneration === null) return
  const kubeconfig = secretText(await secrets.read(cluster), 'value')
  const downstream = await openDownstream(kubeconfig, config.current()?.agentTLSMode ?? '', clock)
  try {
    const [there, here] = await Promise.all([uidOf(downstream.client), uidOf(client)])
    if (there !== here)
      throw new TerminalError('the agent of cluster local is not removed: the kubeconfig of its secret leads to another cluster', {
        reason: 'NotLocal',
      })
    const namespace = agentNamespace({ spec, systemNamespace: settings.systemNamespace })
    await removeAgent(downstream.client, namespace, hashOfSet({ id: agentSetId(cluster) }))
  } finally {
    await downstream.close()
  }
  const next = (newest: Cluster) => ({ ...newest.status, agent: {}, agentDeployedGeneration: undefined, agentConfigChanged: false })
  await changeStatus(deps, cluster, next, OWNED)
  log.info({ cluster: keyOf(cluster) }, 'agent of the local cluster removed')
}

/** The namespace that every cluster has tells clusters apart. */
async function uidOf(client: KubeClient): Promise<string | undefined> {
  return (await client.get({ ...NAMESPACE, name: 'kube-system' })).metadata.uid
}
