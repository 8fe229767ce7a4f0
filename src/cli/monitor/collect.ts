// Reads a hub: one list a kind, page by page, and nothing of it twice.

import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterGroup } from '../../api/cluster-group.ts'
import type { Content } from '../../api/content.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT, CLUSTER, CLUSTER_GROUP, CONTENT, FLEET_API_VERSION, GIT_REPO } from '../../api/kinds.ts'
import { BUNDLE_DEPLOYMENT_SECRET, BUNDLE_VALUES_SECRET } from '../../api/labels.ts'
import { type Clock, sleep } from '../../lib/controller/clock.ts'
import type { KubeClient, ListOptions } from '../../lib/kube/client.ts'
import { isForbidden, isNotFound } from '../../lib/kube/errors.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import {
  type Event,
  type HubState,
  type Pod,
  type SecretMetadata,
  type SizedBundle,
  type SizedContent,
  sizedBundle,
  sizedContent,
} from './hub-state.ts'

export interface Hub {
  readonly client: KubeClient
  readonly clock: Clock
  readonly signal: AbortSignal
  /** told what could not be read, and why that is no reason to give up */
  readonly warn: (text: string) => void
}

export interface CollectOptions {
  /** clusters and cluster groups of this namespace; all else is read from all namespaces */
  readonly namespace: string
  /** where the hub's pods are */
  readonly systemNamespace: string
}

const CONTROLLER_PODS = 'app in (fleet-controller,gitjob,helmops)'
const SECRET_TYPES = [BUNDLE_VALUES_SECRET, BUNDLE_DEPLOYMENT_SECRET]
/** Bundles and contents may have a megabyte each. */
const PAGE_OF_LARGE_OBJECTS = 50
const VERSION_READS = 3
const BETWEEN_READS_MS = 100

/** Throws what the API server refuses; secrets that may not be seen are left out with a warning. */
export async function collect(hub: Hub, { namespace, systemNamespace }: CollectOptions): Promise<HubState> {
  const { client, signal } = hub
  async function list<T extends KubeObject>(type: ResourceType, options: ListOptions = {}): Promise<T[]> {
    return (await client.list<T>(type, { ...options, signal })).items
  }
  const large = <T extends KubeObject, S extends KubeObject>(type: ResourceType, project: (object: T) => S): Promise<S[]> =>
    list<S>(type, { pageSize: PAGE_OF_LARGE_OBJECTS, project: project as unknown as (object: KubeObject) => KubeObject })
  const [pods, gitRepos, bundles, deployments, contents, clusters, clusterGroups, secrets, events, versions] = await Promise.all([
    list<Pod>({ apiVersion: 'v1', kind: 'Pod' }, { namespace: systemNamespace, labelSelector: CONTROLLER_PODS }),
    list<GitRepo>(GIT_REPO),
    large<Bundle, SizedBundle>(BUNDLE, sizedBundle),
    list<BundleDeployment>(BUNDLE_DEPLOYMENT),
    large<Content, SizedContent>(CONTENT, sizedContent),
    list<Cluster>(CLUSTER, { namespace }),
    list<ClusterGroup>(CLUSTER_GROUP, { namespace }),
    readSecrets(hub),
    list<Event>({ apiVersion: 'v1', kind: 'Event' }, { fieldSelector: `involvedObject.apiVersion=${FLEET_API_VERSION}` }),
    readVersions(hub, namespace),
  ])
  return { pods, gitRepos, bundles, deployments, contents, clusters, clusterGroups, secrets, events, versions }
}

/** Only metadata is asked for: values of users have no business here. */
async function readSecrets({ client, signal, warn }: Hub): Promise<SecretMetadata[]> {
  try {
    const lists = await Promise.all(
      SECRET_TYPES.map(async (type) => {
        const options = { fieldSelector: `type=${type}`, metadataOnly: true, signal }
        const { items } = await client.list<KubeObject>({ apiVersion: 'v1', kind: 'Secret' }, options)
        return items.map((item) => ({ ...item, type }))
      }),
    )
    return lists.flat()
  } catch (error) {
    if (!isForbidden(error)) throw error
    warn(`secrets are left out: ${error.message}`)
    return []
  }
}

/** Reads one object several times: an API server that answers from an old cache gives itself away. */
async function readVersions({ client, clock, signal, warn }: Hub, namespace: string): Promise<string[]> {
  const versions: string[] = []
  try {
    for (let read = 0; read < VERSION_READS; read++) {
      if (read > 0) await sleep(clock, BETWEEN_READS_MS, signal)
      const { metadata } = await client.get<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, { signal })
      versions.push(metadata.resourceVersion ?? '')
    }
    return versions
  } catch (error) {
    if (!isForbidden(error) && !isNotFound(error)) throw error
    warn(`consistency of the API server is not checked: ${error.message}`)
    return []
  }
}
