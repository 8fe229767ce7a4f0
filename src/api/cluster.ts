// Cluster: a cluster that Fleet deploys to, and how its agent is to run.
import { Affinity, EnvVar, ResourceRequirements, Toleration } from './pod-types.ts'
import { anything, as, flag, int64, integer, kind, list, object, type Static, text, time } from './schema.ts'
import { BundleSummary, conditions, ResourceCounts } from './status.ts'

const AgentSchedulingCustomization = object(
  {
    priorityClass: object(
      { value: integer('Priority.'), preemptionPolicy: text('Never or PreemptLowerPriority.') },
      "Priority class made for the agent's pods.",
    ),
    podDisruptionBudget: object(
      {
        minAvailable: text('Pods that must stay, as number or percentage.'),
        maxUnavailable: text('Pods that may go, as number or percentage.'),
      },
      "Disruption budget made for the agent's pods.",
    ),
  },
  "Priority class and disruption budget for the agent's pods.",
)
/** Priority class and disruption budget for an agent's pods. */
export type AgentSchedulingCustomization = Static<typeof AgentSchedulingCustomization>

const secretReference = object({ name: text('Its name.') }, 'A secret.', { 'x-kubernetes-map-type': 'atomic' })

const ClusterSpec = object(
  {
    paused: flag('Do not deploy to the cluster.'),
    clientID: text('Identity of the cluster; made by Fleet for clusters that it imports.'),
    kubeConfigSecret: text('Secret with a kubeconfig; with it Fleet installs the agent itself.'),
    kubeConfigSecretNamespace: text('Namespace of that secret; that of the cluster if absent.'),
    redeployAgentGeneration: int64('Raise it to install the agent again.'),
    agentEnvVars: list(EnvVar, 'Environment variables for the agent.'),
    agentNamespace: text('Namespace of the agent.'),
    privateRepoURL: text("Registry that the agent's image is pulled from."),
    templateValues: anything('Values for templates: ClusterValues.'),
    agentTolerations: list(Toleration, "Tolerations for the agent's pods."),
    agentAffinity: as(Affinity, "Affinity of the agent's pods, in place of the usual one."),
    agentResources: as(ResourceRequirements, "Resources of the agent's container."),
    hostNetwork: flag("Run the agent in the node's network."),
    agentPullSecrets: list(secretReference, "Secrets to pull the agent's image with."),
    agentSchedulingCustomization: AgentSchedulingCustomization,
  },
  'How the cluster is reached and its agent runs.',
  { default: {} },
)
/** How the cluster is reached and its agent runs. */
export type ClusterSpec = Static<typeof ClusterSpec>

const ClusterStatus = object(
  {
    conditions,
    namespace: text('Namespace of the deployments for this cluster.'),
    summary: BundleSummary,
    resourceCounts: ResourceCounts,
    readyGitRepos: integer('GitRepos that are ready on the cluster.'),
    desiredReadyGitRepos: integer('GitRepos that are deployed to the cluster.'),
    readyHelmOps: integer('HelmOps that are ready on the cluster.'),
    desiredReadyHelmOps: integer('HelmOps that are deployed to the cluster.'),
    agentEnvVarsHash: text('Hash of the environment variables that the agent was installed with.'),
    agentPrivateRepoURL: text('Registry that the agent was installed with.'),
    agentHostNetwork: flag('Network setting that the agent was installed with.'),
    agentDeployedGeneration: int64('The redeployAgentGeneration that was installed last.'),
    agentMigrated: flag('True once the agent is installed.'),
    agentNamespaceMigrated: flag('True once the agent is installed.'),
    cattleNamespaceMigrated: flag('True once the agent is installed.'),
    agentAffinityHash: text('Hash of the affinity that the agent was installed with.'),
    agentResourcesHash: text('Hash of the resources that the agent was installed with.'),
    agentTolerationsHash: text('Hash of the tolerations that the agent was installed with.'),
    agentSchedulingCustomizationHash: text('Hash of the scheduling that the agent was installed with.'),
    agentConfigChanged: flag('The agent must be installed again.'),
    apiServerURL: text('URL of the hub that the agent was installed with.'),
    apiServerCAHash: text('Hash of the certificates that the agent was installed with.'),
    agentTLSMode: text('strict or system-store: how the agent verifies the hub.'),
    garbageCollectionInterval: text('How often the agent cleans up.'),
    display: object(
      { readyBundles: text('Ready and all deployments, as in 3/5.'), state: text('Worst state, or WaitCheckIn.') },
      'Texts for tables.',
    ),
    agent: object(
      {
        lastSeen: time('When the agent last reported.'),
        namespace: text('Its namespace.'),
        credential: text('Secret in the namespace of the deployments that holds the token which the agent uses.'),
      },
      'The agent.',
    ),
    agentCredential: text('Secret with the token that the agent is to use from now on; set while credentials are rotated.'),
    scheduled: flag('The cluster belongs to a schedule.'),
    activeSchedule: flag('The schedule is active.'),
  },
  'State of the cluster and its agent.',
)
/** State of the cluster and its agent. */
export type ClusterStatus = Static<typeof ClusterStatus>

export const Cluster = kind({ spec: ClusterSpec, status: ClusterStatus }, 'A cluster that Fleet deploys to.', ['spec'])
/** A cluster that Fleet deploys to. */
export type Cluster = Static<typeof Cluster>
