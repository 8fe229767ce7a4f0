// What conditions of which type mean (spec 7.6). Type → state that is shown.

/** False is an error, Unknown is on the way. */
export const FALSE_IS_ERROR: Readonly<Record<string, string>> = {
  Active: 'activating',
  AddonDeploy: 'provisioning',
  AgentDeployed: 'provisioning',
  BackingNamespaceCreated: 'configuring',
  Built: 'building',
  CertsGenerated: 'provisioning',
  ConfigOK: 'configuring',
  Created: 'creating',
  CreatorMadeOwner: 'configuring',
  DefaultNamespaceAssigned: 'configuring',
  DefaultNetworkPolicyCreated: 'configuring',
  DefaultProjectCreated: 'configuring',
  DockerProvisioned: 'provisioning',
  Deployed: 'deploying',
  Drained: 'draining',
  Downloaded: 'downloading',
  etcd: 'provisioning',
  Inactive: 'deactivating',
  Initialized: 'initializing',
  Installed: 'installing',
  NodesCreated: 'provisioning',
  Pending: 'pending',
  PodScheduled: 'scheduling',
  Provisioned: 'provisioning',
  Reconciled: 'reconciling',
  Refreshed: 'refreshed',
  Registered: 'registering',
  Removed: 'removing',
  Saved: 'saving',
  Updated: 'updating',
  Updating: 'updating',
  Upgraded: 'upgrading',
  Waiting: 'waiting',
  InitialRolesPopulated: 'activating',
  ScalingActive: 'pending',
  AbleToScale: 'pending',
  RunCompleted: 'running',
  Processed: 'processed',
}

/** True is on the way. */
export const TRUE_IS_TRANSITIONING: Readonly<Record<string, string>> = { Reconciling: 'reconciling' }

/** In place of a state: the reason of the condition is the state. */
export const USES_REASON = '%reason%'

/** False is on the way, Unknown is an error. */
export const FALSE_IS_TRANSITIONING: Readonly<Record<string, string>> = {
  Completed: 'activating',
  Ready: 'unavailable',
  Available: 'updating',
  BootstrapReady: USES_REASON,
  InfrastructureReady: USES_REASON,
  NodeHealthy: USES_REASON,
}

/** Condition type → the statuses that are an error. */
type ErrorTable = Readonly<Record<string, readonly string[]>>

export interface ErrorConditions {
  /** `apiVersion/Kind` → its table, used instead of the fallback */
  readonly byKind: Readonly<Record<string, ErrorTable>>
  readonly fallback: ErrorTable
}

export const ERROR_CONDITIONS: ErrorConditions = {
  byKind: {
    'helm.cattle.io/v1/HelmChart': { JobCreated: [], Failed: ['True'] },
    'v1/Node': { OutOfDisk: ['True'], MemoryPressure: ['True'], DiskPressure: ['True'], NetworkUnavailable: ['True'] },
    'apps/v1/Deployment': { ReplicaFailure: ['True'], Progressing: ['False'] },
    'apps/v1/ReplicaSet': { ReplicaFailure: ['True'] },
  },
  fallback: { Stalled: ['True'], Failed: ['True'] },
}

interface MappingEntry {
  readonly gvk: string
  readonly conditionMappings: readonly { readonly type: string; readonly status?: readonly string[] }[]
}

/**
 * The built-in tables with the entries of CATTLE_WRANGLER_CHECK_GVK_ERROR_MAPPING on top: a JSON list of
 * `{gvk: "group/version, Kind=X", conditionMappings: [{type, status[]}]}`; a condition named there replaces that condition of the kind.
 * Throws SyntaxError or TypeError when the text has another form.
 */
export function withErrorMappings(text: string): ErrorConditions {
  const byKind: Record<string, ErrorTable> = { ...ERROR_CONDITIONS.byKind }
  for (const { gvk, conditionMappings } of JSON.parse(text) as MappingEntry[]) {
    const key = gvk.replace(', Kind=', '/').replace(/^\//, '')
    byKind[key] = { ...byKind[key], ...Object.fromEntries(conditionMappings.map(({ type, status }) => [type, status ?? []])) }
  }
  return { ...ERROR_CONDITIONS, byKind }
}
