import type { Cluster } from '../api/cluster.ts'
import type { HubConfig } from '../config/hub-config.ts'

/** Name of the Cluster that stands for the management cluster itself. */
export const LOCAL_CLUSTER_NAME = 'local'

/** Whether the configuration says that this cluster, the management cluster, has no agent (spec 3.2). */
export function isLocalAgentDisabled({ metadata }: Cluster, { bootstrap }: HubConfig): boolean {
  return bootstrap.localAgentDisabled && metadata.name === LOCAL_CLUSTER_NAME && metadata.namespace === bootstrap.namespace
}
