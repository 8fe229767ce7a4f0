// Whether the agent of a cluster must be installed (again), by what is known on the hub (spec 3.2). Pure.
import { createHash } from 'node:crypto'
import { caHash } from '../api/agent-hashes.ts'
import type { Cluster } from '../api/cluster.ts'
import { registrationNamespace } from '../api/names.ts'
import type { HubConfig } from '../config/hub-config.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { parseDuration } from '../lib/duration/duration.ts'
import { changedSettings } from './agent-state.ts'

/** What the kubeconfig secret says beside the kubeconfig: address and CA of the hub, empty where it says nothing. */
export interface SecretFacts {
  readonly apiServerURL: string
  readonly apiServerCA: Buffer
}

/** How agents of a cluster are to reach the hub. */
export interface HubAddress {
  readonly apiServerURL: string
  readonly apiServerCA: Buffer
}

/** Namespaces of system parts that may hold kubeconfigs for clusters elsewhere. */
const SECRET_NAMESPACES = ['fleet-local', 'fleet-default', 'cattle-fleet-system', 'fleet-system']
/** Where the agent of old releases ran. */
const LEGACY_NAMESPACE = 'fleet-system'
/** What other releases record when there is no CA: the hash of `null`. */
const NO_CA_HASH = createHash('sha224').update('null').digest('hex')

/** Whether the kubeconfig of a cluster lies where the cluster may look. */
export function mayUseNamespace({ metadata, spec }: Cluster): boolean {
  const namespace = spec.kubeConfigSecretNamespace
  if (!namespace || namespace === metadata.namespace || namespace.startsWith('cluster-')) return true
  return [...SECRET_NAMESPACES, ...SECRET_NAMESPACES.map(registrationNamespace)].includes(namespace)
}

/** Throws TerminalError for a kubeconfig in a namespace that its cluster must not use. */
export function checkSecretNamespace(cluster: Cluster): void {
  if (mayUseNamespace(cluster)) return
  throw new TerminalError(
    `kubeConfigSecretNamespace "${cluster.spec.kubeConfigSecretNamespace}" is not an allowed Fleet namespace: put the secret beside the cluster, or into one of ${SECRET_NAMESPACES.join(', ')}`,
    { reason: 'NamespaceNotAllowed' },
  )
}

/** The secret's own address and CA, each before that of the configuration. */
export function hubAddress(facts: SecretFacts, config: HubConfig): HubAddress {
  return {
    apiServerURL: facts.apiServerURL || config.apiServerURL,
    apiServerCA: facts.apiServerCA.length > 0 ? facts.apiServerCA : config.apiServerCA,
  }
}

/** What the agent of a cluster is compared with. */
interface ImportFacts {
  readonly config: HubConfig
  /** Undefined if it is not known: then nothing is said of it. */
  readonly address: HubAddress | undefined
  readonly systemNamespace: string
  /** There is a registration of the agent: without one it has no credential. */
  readonly isRegistered: boolean
  /** The token that the agent was given to register with is still there. */
  readonly hasToken: boolean
}

/** Why the agent must be installed, the first reason; undefined if it is as it should be. */
export function importReason(
  cluster: Cluster,
  { config, address, systemNamespace, hasToken, isRegistered }: ImportFacts,
): string | undefined {
  const { spec, status = {} } = cluster
  const deployed = status.agentDeployedGeneration
  if (deployed === undefined || deployed === null) return 'the agent is not installed'
  if (deployed !== (spec.redeployAgentGeneration ?? 0)) return 'redeployAgentGeneration was changed'
  if (!status.agentMigrated || !status.agentNamespaceMigrated || !status.cattleNamespaceMigrated) return 'the agent is of an old release'
  if (isLegacy(cluster, [config.bootstrap.agentNamespace, systemNamespace]))
    return `the agent runs in the old namespace ${LEGACY_NAMESPACE}`
  if (isElsewhere(cluster, systemNamespace)) return 'agentNamespace was changed'
  if (status.agentConfigChanged) return 'settings of the agent were changed'
  const settings = changedSettings(cluster)
  if (settings.length > 0) return `settings of the agent were changed: ${settings.join(', ')}`
  // nobody else would ever give it another one
  if (!status.agent?.lastSeen && !hasToken) return 'the agent has never reported, and the token it was to register with has ended'
  if (status.agent?.lastSeen && !isRegistered) return 'the registration of the agent is gone, and with it its credential'
  return address?.apiServerURL ? configReason(cluster, config, address) : undefined
}

function configReason({ status = {} }: Cluster, config: HubConfig, address: HubAddress): string | undefined {
  if (address.apiServerURL !== status.apiServerURL) return 'the address of the management cluster was changed'
  if (!isHashOf(status.apiServerCAHash, address.apiServerCA)) return 'the CA of the management cluster was changed'
  if (config.agentTLSMode !== status.agentTLSMode) return 'agentTLSMode was changed'
  if (nanoseconds(config.garbageCollectionInterval) !== nanoseconds(status.garbageCollectionInterval))
    return 'garbageCollectionInterval was changed'
  return undefined
}

/** Left alone, an agent whose cluster wants it in the usual namespace again would remove itself for the one that its bundle puts there, which nobody has let in. */
function isElsewhere({ spec, status }: Cluster, systemNamespace: string): boolean {
  const namespace = status?.agent?.namespace
  if (spec.agentNamespace) return spec.agentNamespace !== namespace
  return Boolean(namespace) && namespace !== systemNamespace && namespace !== LEGACY_NAMESPACE
}

function isLegacy({ spec, status }: Cluster, chosen: readonly string[]): boolean {
  return status?.agent?.namespace === LEGACY_NAMESPACE && ![spec.agentNamespace, ...chosen].includes(LEGACY_NAMESPACE)
}

function isHashOf(hash: string | undefined, ca: Buffer): boolean {
  return hash === caHash(ca) || (ca.length === 0 && hash === NO_CA_HASH)
}

function nanoseconds(text: string | undefined): bigint {
  try {
    return text ? parseDuration(text) : 0n
  } catch {
    return -1n // whatever it is, it is not what we would have written
  }
}
