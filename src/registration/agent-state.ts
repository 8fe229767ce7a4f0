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
