// The bundle with which agents deploy and upgrade themselves (spec 3.8).
import type { Bundle } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import { BUNDLE } from '../api/kinds.ts'
import { NON_MANAGED_AGENT_LABEL } from '../api/labels.ts'
import { agentBundleName } from '../api/names.ts'
import { stringifyYaml } from '../lib/yaml/stringify.ts'
import { type AgentInput, agentNamespace, agentObjects } from './agent-objects.ts'

/** Set id of the agent bundles of a namespace. */
export const AGENT_BUNDLE_SET = 'fleet-manage-agent'

/** The bundle of a cluster's agent. */
export function agentBundle({ metadata, spec }: Cluster, input: Omit<AgentInput, 'spec'>): Bundle {
  const { name, namespace = '' } = metadata
  const manifests = agentObjects({ ...input, spec }).map((object) => stringifyYaml(object))
  return {
    ...BUNDLE,
    metadata: { name: agentBundleName(name), namespace },
    spec: {
      defaultNamespace: agentNamespace({ ...input, spec }),
      helm: { takeOwnership: true },
      resources: [{ name: 'agent.yaml', content: manifests.join('\n---\n') }],
      targets: [{ clusterName: name, clusterSelector: { matchExpressions: [{ key: NON_MANAGED_AGENT_LABEL, operator: 'DoesNotExist' }] } }],
    },
  }
}
