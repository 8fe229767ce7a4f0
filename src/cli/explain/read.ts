// What an explanation needs of a hub: a few lists, never a request for each cluster, and only kinds that matter.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleNamespaceMapping } from '../../api/bundle-namespace-mapping.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterGroup } from '../../api/cluster-group.ts'
import type { ClusterRegistration } from '../../api/cluster-registration.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import type { GitRepoRestriction } from '../../api/git-repo-restriction.ts'
import type { HelmOp } from '../../api/helm-op.ts'
import {
  BUNDLE_NAMESPACE_MAPPING,
  CLUSTER,
  CLUSTER_GROUP,
  CLUSTER_REGISTRATION,
  CONTENT,
  GIT_REPO,
  GIT_REPO_RESTRICTION,
  HELM_OP,
  POLICY,
  SCHEDULE,
} from '../../api/kinds.ts'
import type { Policy } from '../../api/policy.ts'
import type { Schedule } from '../../api/schedule.ts'
import type { ExplainObjects, Subject } from '../../explain/types.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isForbidden } from '../../lib/kube/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { refersToGroups } from '../../target/match.ts'
import { listIfAllowed } from '../cluster.ts'
import { isPending, type Makers, readCore } from './read-core.ts'

const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }

/** Reads what there is to know about a subject. Throws what the API server refuses of bundles, deployments and clusters; the rest is left out. */
export async function readObjects(client: KubeClient, subject: Subject, signal: AbortSignal): Promise<ExplainObjects> {
  const core = await readCore(client, subject, signal)
  const { bundles, bundleDeployments, workspace } = core
  const here = { namespace: workspace, signal }
  const [makers, places] = await Promise.all([
    readMakers(client, core.makers, workspace, signal),
    readPlaces(client, bundles, workspace, signal),
  ])
  const isUnseen = places.clusters.some(({ status }) => !status?.agent?.lastSeen)
  const isScheduled = bundleDeployments.some(({ spec }) => spec?.offSchedule)
  const isRefused = [...(makers.gitRepos ?? []), ...(makers.helmOps ?? [])].some(
    ({ status }) => getCondition(status?.conditions, 'Accepted')?.status === 'False',
  )
  const [registrations, schedules, restrictions, policies, contents] = await Promise.all([
    isUnseen ? listIfAllowed<ClusterRegistration>(client, CLUSTER_REGISTRATION, here) : [],
    isScheduled ? listIfAllowed<Schedule>(client, SCHEDULE, places.isMapped ? { signal } : here) : [],
    isRefused ? listIfAllowed<GitRepoRestriction>(client, GIT_REPO_RESTRICTION, here) : [],
    isRefused ? listIfAllowed<Policy>(client, POLICY, here) : [],
    bundleDeployments.some(isPending) ? readContents(client, signal) : undefined,
  ])
  return { ...makers, ...places, bundles, bundleDeployments, registrations, schedules, restrictions, policies, contents }
}

async function readMakers(
  client: KubeClient,
  { gitRepo, helmOp, all }: Makers,
  namespace: string,
  signal: AbortSignal,
): Promise<Pick<ExplainObjects, 'gitRepos' | 'helmOps'>> {
  const one = async <T extends KubeObject>(type: typeof GIT_REPO | typeof HELM_OP, name: string): Promise<T[]> => {
    const found = await client.find<T>({ ...type, name, namespace }, { signal })
    return found ? [found] : []
  }
  const [gitRepos, helmOps] = await Promise.all([
    ifAllowed<GitRepo[]>(async () =>
      gitRepo ? one<GitRepo>(GIT_REPO, gitRepo) : all ? (await client.list<GitRepo>(GIT_REPO, { namespace, signal })).items : undefined,
    ),
    ifAllowed<HelmOp[]>(async () =>
      helmOp ? one<HelmOp>(HELM_OP, helmOp) : all ? (await client.list<HelmOp>(HELM_OP, { namespace, signal })).items : undefined,
    ),
  ])
  return { gitRepos, helmOps }
}

/** What may not be seen is not known. */
async function ifAllowed<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

interface Places {
  readonly clusters: readonly Cluster[]
  readonly clusterGroups: readonly ClusterGroup[]
  readonly mappings: readonly BundleNamespaceMapping[]
  readonly namespaces: readonly KubeObject[]
  readonly isMapped: boolean
}

/** Clusters of other namespaces only matter where a mapping leads there. */
async function readPlaces(client: KubeClient, bundles: readonly Bundle[], namespace: string, signal: AbortSignal): Promise<Places> {
  const mappings = await listIfAllowed<BundleNamespaceMapping>(client, BUNDLE_NAMESPACE_MAPPING, { namespace, signal })
  const isMapped = mappings.length > 0
  const scope = isMapped ? { signal } : { namespace, signal }
  const [clusters, clusterGroups, namespaces] = await Promise.all([
    client.list<Cluster>(CLUSTER, scope),
    bundles.some(({ spec }) => refersToGroups(spec ?? {})) ? listIfAllowed<ClusterGroup>(client, CLUSTER_GROUP, scope) : [],
    isMapped ? listIfAllowed<KubeObject>(client, NAMESPACE, { metadataOnly: true, signal }) : [],
  ])
  return { clusters: clusters.items, clusterGroups, mappings, namespaces, isMapped }
}

async function readContents(client: KubeClient, signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  const contents = await ifAllowed(() => client.list<KubeObject>(CONTENT, { metadataOnly: true, signal }))
  return contents && new Set(contents.items.map(({ metadata }) => metadata.name))
}
