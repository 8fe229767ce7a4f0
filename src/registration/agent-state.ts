// What a Cluster's status says of how its agent was installed, compared with what its spec asks for (spec 3.2).
import { agentHashes } from '../api/agent-hashes.ts'
import type { Cluster, ClusterSpec, ClusterStatus } from '../api/cluster.ts'

/** Fields of the status that record the agent's settings. */
export const AGENT_SETTING_FIELDS = [
  'agentEnvVarsHash',
  'agentTolerationsHash',
  'agentAffinityHash',
  'agentResourcesHash',
  'agentSchedulingCustomizationHash',
  'agentPrivateRepoURL',
  'agentHostNetwork',
] as const

type AgentSettings = Pick<ClusterStatus, (typeof AGENT_SETTING_FIELDS)[number]>

/** The settings of the agent, as the status records them; absent where the spec says nothing. */
export function agentSettings(spec: ClusterSpec): AgentSettings {
  const hashes = agentHashes(spec)
  const settings: AgentSettings = {
    agentEnvVarsHash: hashes.agentEnvVars || undefined,
    agentTolerationsHash: hashes.agentTolerations || undefined,
    agentAffinityHash: hashes.agentAffinity || undefined,
    agentResourcesHash: hashes.agentResources || undefined,
    agentSchedulingCustomizationHash: hashes.agentSchedulingCustomization || undefined,
    agentPrivateRepoURL: spec.privateRepoURL || undefined,
    agentHostNetwork: spec.hostNetwork || undefined,
  }
  return settings
}

/** Fields in which the installed agent differs from what the spec asks for. */
export function changedSettings({ spec, status }: Cluster): string[] {
  const wanted = agentSettings(spec)
  return AGENT_SETTING_FIELDS.filter((field) => (status?.[field] || undefined) !== wanted[field])
}

/**
 * What is recorded of a cluster that is not imported. An agent that an import installed is not forgotten: the next import brings it the settings
 * that changed meanwhile.
 */
export function recordedSettings(cluster: Cluster): AgentSettings & Pick<ClusterStatus, 'agentConfigChanged'> {
  const { spec, status } = cluster
  const lagsBehind = isInstalled(cluster) && changedSettings(cluster).length > 0
  return { ...agentSettings(spec), agentConfigChanged: lagsBehind || status?.agentConfigChanged }
}

/** Whether an import has installed the agent of a cluster. */
export function isInstalled({ status }: Cluster): boolean {
  return status?.agentDeployedGeneration !== undefined && status.agentDeployedGeneration !== null
}
