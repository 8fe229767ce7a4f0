// Every deployed object once, with the clusters in each of its states (spec 8.6). Lists are cut to a size that can be stored, always in the same way.
import type { BundleDeployment, BundleDeploymentResource } from '../api/bundle-deployment.ts'
import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL } from '../api/labels.ts'
import { deploymentState } from '../api/state.ts'
import type { Resource, ResourceCounts } from '../api/status.ts'
import { sumResourceCounts } from '../api/summary.ts'
import { sortedBy } from './summary-entries.ts'

/** Size of the resources without their clusters, in characters of JSON; further resources are left out. */
const MAX_RESOURCES = 512 * 1_024
/** Size of all lists of clusters; further clusters are left out, ready ones first. */
const MAX_CLUSTERS = 384 * 1_024
/** Size of the counts by cluster; further clusters are left out. */
const MAX_COUNTS = 256 * 1_024
/** What a resource takes beside its texts. */
const RESOURCE_OVERHEAD = 160

type PerClusterState = NonNullable<Resource['perClusterState']>
type ListName = keyof PerClusterState

const LISTS: ReadonlyMap<string, ListName> = new Map([
  ['Ready', 'ready'],
  ['WaitApplied', 'waitApplied'],
  ['Pending', 'pending'],
  ['Modified', 'modified'],
  ['Orphaned', 'orphaned'],
  ['Missing', 'missing'],
  ['Unknown', 'unknown'],
  ['NotReady', 'notReady'],
  // Two words that agents use for objects that are not ready; the state of the resource keeps them.
  ['updating', 'notReady'],
  ['error', 'notReady'],
])

/** `namespace/name` of the cluster of a deployment. */
export function clusterId({ metadata }: BundleDeployment): string {
  return `${metadata.labels?.[CLUSTER_NAMESPACE_LABEL] ?? ''}/${metadata.labels?.[CLUSTER_LABEL] ?? ''}`
}

interface Identity {
  apiVersion?: string | undefined
  kind?: string | undefined
  namespace?: string | undefined
  name?: string | undefined
}

interface Entry {
  identity: Identity
  type: string
  id: string
  states: { cluster: string; state: string }[]
  incomplete: boolean
}

/** The objects of all deployments, sorted by type and id. The state of one is the first that is not Ready, in the order of cluster ids. */
export function foldResources(deployments: readonly BundleDeployment[]): Resource[] {
  const entries = new Map<string, Entry>()
  for (const deployment of sortedBy(deployments, (one) => `${clusterId(one)} ${one.metadata.name}`)) addDeployment(entries, deployment)
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  return listClusters(fitting(sorted, MAX_RESOURCES, sizeOf))
}

function addDeployment(entries: Map<string, Entry>, deployment: BundleDeployment): void {
  const cluster = clusterId(deployment)
  const incomplete = deployment.status?.incompleteState === true
  for (const [key, { identity, type, id, state }] of statesOf(deployment)) {
    const entry = entries.get(key) ?? { identity, type, id, states: [], incomplete: false }
    entry.states.push({ cluster, state })
    entry.incomplete ||= incomplete
    entries.set(key, entry)
  }
}

interface ObjectState {
  identity: Identity
  type: string
  id: string
  state: string
}

/** The objects of one deployment; what is known about a single object wins over the state of the deployment. */
function statesOf(deployment: BundleDeployment): Map<string, ObjectState> {
  const states = new Map<string, ObjectState>()
  const { resources, nonReadyStatus, modifiedStatus } = deployment.status ?? {}
  const usual = usualState(deployment)
  for (const resource of resources ?? []) set(resource, usual)
  for (const object of nonReadyStatus ?? []) set(object, object.summary?.state ?? '')
  for (const object of modifiedStatus ?? []) set(object, object.delete ? 'Orphaned' : object.missing ? 'Missing' : 'Modified')

  function set(identity: Identity | BundleDeploymentResource, state: string): void {
    const { apiVersion = '', kind = '', namespace, name = '' } = identity
    const type = typeOf(apiVersion, kind)
    const id = namespace ? `${namespace}/${name}` : name
    // the space sorts before whatever may follow in a longer id
    states.set(`${type}/${id} ${apiVersion}`, { identity: { apiVersion, kind, namespace, name }, type, id, state })
  }

  return states
}

/** NotReady and Modified come from single objects, so the others are Ready; Unknown if the list of those objects was cut. */
function usualState(deployment: BundleDeployment): string {
  const state = deploymentState(deployment)
  if (state !== 'NotReady' && state !== 'Modified') return state
  return deployment.status?.incompleteState ? 'Unknown' : 'Ready'
}

/** `<group>.<kind in lower case>`, or just the kind for the core group. */
function typeOf(apiVersion: string, kind: string): string {
  const group = apiVersion.split('/', 1)[0] ?? ''
  return `${group === '' || group === 'v1' ? '' : `${group}.`}${kind.toLowerCase()}`
}

function sizeOf({ identity, type, id }: Entry): number {
  const { apiVersion = '', kind = '', namespace = '', name = '' } = identity
  return RESOURCE_OVERHEAD + apiVersion.length + kind.length + namespace.length + name.length + type.length + id.length
}

function fitting<T>(items: readonly T[], room: number, size: (item: T) => number): T[] {
  let used = 0
  const end = items.findIndex((item) => {
    used += size(item)
    return used > room
  })
  return end < 0 ? [...items] : items.slice(0, end)
}

/** Fills the lists of clusters: first for all resources where something is wrong, then where they are ready. */
function listClusters(entries: readonly Entry[]): Resource[] {
  const resources = entries.map(toResource)
  let room = MAX_CLUSTERS
  for (const pass of ['wrong', 'ready'] as const) {
    entries.forEach((entry, index) => {
      const resource = resources[index]!
      for (const { cluster, state } of entry.states) {
        const list = LISTS.get(state)
        if (!list || (list === 'ready') !== (pass === 'ready')) continue
        room -= cluster.length + 3
        if (room < 0) resource.incompleteState = true
        else append(resource.perClusterState, list, cluster)
      }
    })
  }
  return resources
}

function append(states: PerClusterState, list: ListName, cluster: string): void {
  const clusters = states[list]
  if (clusters) clusters.push(cluster)
  else states[list] = [cluster]
}

function toResource({ identity, type, id, states, incomplete }: Entry): Resource & { perClusterState: PerClusterState } {
  const { apiVersion, kind, namespace, name } = identity
  return {
    ...(apiVersion ? { apiVersion } : {}),
    ...(kind ? { kind } : {}),
    type,
    id,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(incomplete ? { incompleteState: true } : {}),
    state: states.find(({ state }) => state !== 'Ready')?.state ?? 'Ready',
    perClusterState: {},
  }
}

/** The counts of the deployments by cluster. */
export function countsPerCluster(deployments: readonly BundleDeployment[]): Record<string, ResourceCounts> {
  const byCluster = Map.groupBy(deployments, clusterId)
  const sorted = [...byCluster].sort(([a], [b]) => (a < b ? -1 : 1))
  const counted = sorted.map(
    ([cluster, ofCluster]) => [cluster, compact(sumResourceCounts(ofCluster.map(({ status }) => status?.resourceCounts)))] as const,
  )
  return Object.fromEntries(fitting(counted, MAX_COUNTS, ([cluster, counts]) => cluster.length + JSON.stringify(counts).length + 4))
}

/** Without zeros, but for the two numbers that are always shown. */
function compact(counts: Required<ResourceCounts>): ResourceCounts {
  return Object.fromEntries(Object.entries(counts).filter(([name, count]) => count !== 0 || name === 'ready' || name === 'desiredReady'))
}
