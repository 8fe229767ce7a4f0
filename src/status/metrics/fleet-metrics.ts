// The gauges of Fleet's own objects (spec 10.1), under upstream's names and labels.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { ClusterGroup } from '../../api/cluster-group.ts'
import type { GitRepo } from '../../api/git-repo.ts'
import type { HelmOp } from '../../api/helm-op.ts'
import {
  BUNDLE_NAME_LABEL,
  BUNDLE_NAMESPACE_LABEL,
  CLUSTER_LABEL,
  CLUSTER_NAMESPACE_LABEL,
  COMMIT_LABEL,
  REPO_NAME_LABEL,
} from '../../api/labels.ts'
import { deploymentState } from '../../api/state.ts'
import type { BundleSummary, ResourceCounts } from '../../api/status.ts'
import { isSummaryReady, summaryState } from '../../api/summary.ts'
import { getCondition } from '../../lib/controller/conditions.ts'
import { redactUrl } from '../../lib/git/url.ts'
import type { Informer } from '../../lib/kube/informer.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { StatusInformers } from '../informers.ts'
import { type Family, type Labels, labelText, renderFamilies } from './exposition.ts'

/** What has gauges, by the names of the controllers that keep their status. */
export const METRIC_KINDS = ['gitrepo', 'helmop', 'bundle', 'bundledeployment', 'cluster', 'clustergroup'] as const
type MetricKind = (typeof METRIC_KINDS)[number]

/** One number of an object: the end of its name, and where it stands. */
type Gauges<T> = readonly (readonly [name: string, help: string, read: (object: T) => number | null | undefined])[]

const BUNDLE_STATES = ['Ready', 'NotReady', 'Pending', 'OutOfSync', 'Modified', 'WaitApplied', 'ErrApplied']
const CLUSTER_STATES = ['NotReady', 'Ready', 'WaitCheckIn']
const GROUP_STATES = ['NotReady', 'Ready']
const RANCHER_NAME_LABEL = 'management.cattle.io/cluster-name'
const RANCHER_DISPLAY_NAME_LABEL = 'management.cattle.io/cluster-display-name'

const COUNTERS: readonly (readonly [keyof ResourceCounts, string])[] = [
  ['desiredReady', 'desired to be ready'],
  ['missing', 'missing'],
  ['modified', 'modified'],
  ['notReady', 'not ready'],
  ['orphaned', 'orphaned'],
  ['ready', 'ready'],
  ['unknown', 'in an unknown state'],
  ['waitApplied', 'waiting to be deployed'],
]

/** The exposition text of the kinds asked for, of the objects that `handles` names. One pass over the caches, no request. */
export function fleetMetrics(informers: StatusInformers, kinds: ReadonlySet<MetricKind>, handles: (object: KubeObject) => boolean): string {
  const listed = <T extends KubeObject>(informer: Informer<T>) => informer.list().filter(handles)
  // a cache is only looked at for its kind: the process may have no other
  const objects: Listed = {
    gitRepos: () => listed(informers.gitRepos),
    helmOps: () => listed(informers.helmOps),
    bundles: () => listed(informers.bundles),
    bundleDeployments: () => listed(informers.bundleDeployments),
    clusters: () => listed(informers.clusters),
    clusterGroups: () => listed(informers.clusterGroups),
  }
  return renderFamilies([...kinds].flatMap((kind) => FAMILIES[kind](objects)))
}

type Listed = {
  readonly [K in keyof Omit<StatusInformers, 'contents'>]: () => readonly (StatusInformers[K] extends Informer<infer T> ? T : never)[]
}

const FAMILIES: Readonly<Record<MetricKind, (objects: Listed) => Family[]>> = {
  gitrepo: ({ gitRepos }) => gaugesOf('gitrepo', gitRepos(), makerGauges<GitRepo>(), gitRepoLabels),
  helmop: ({ helmOps }) => gaugesOf('helmop', helmOps(), makerGauges<HelmOp>(), helmOpLabels),
  bundle: ({ bundles }) => [
    ...gaugesOf('bundle', bundles(), BUNDLE_GAUGES, (bundle) => ({ ...bundleLabels(bundle), state: bundleState(bundle) })),
    stateGauge('bundle', bundles(), BUNDLE_STATES, bundleState, bundleLabels),
  ],
  bundledeployment: ({ bundleDeployments }) => [
    stateGauge('bundledeployment', bundleDeployments(), BUNDLE_STATES, deploymentState, deploymentLabels),
  ],
  cluster: ({ clusters }) => [
    ...gaugesOf('cluster', clusters(), CLUSTER_GAUGES, (cluster) => ({ ...clusterLabels(cluster), state: displayState(cluster) })),
    stateGauge('cluster', clusters(), CLUSTER_STATES, displayState, clusterLabels),
  ],
  clustergroup: ({ clusterGroups }) => [
    ...gaugesOf('cluster_group', clusterGroups(), GROUP_GAUGES, (group) => ({ ...identity(group), state: displayState(group) })),
    stateGauge('cluster_group', clusterGroups(), GROUP_STATES, displayState, identity),
  ],
}

function gaugesOf<T>(subsystem: string, objects: readonly T[], gauges: Gauges<T>, labelsOf: (object: T) => Labels): Family[] {
  const labelled = objects.map((object) => ({ object, labels: labelText(labelsOf(object)) }))
  return gauges.map(([name, help, read]) => ({
    name: `fleet_${subsystem}_${name}`,
    help,
    series: labelled.map(({ object, labels }) => ({ labels, value: read(object) ?? 0 })),
  }))
}

/** A series for each state there is: 1 for the one that the object is in. */
function stateGauge<T>(
  subsystem: string,
  objects: readonly T[],
  states: readonly string[],
  stateOf: (object: T) => string,
  labelsOf: (object: T) => Labels,
): Family {
  const series = objects.flatMap((object) => {
    const [labels, current] = [labelText(labelsOf(object)), stateOf(object)]
    return states.map((state) => ({ labels: `${labels},state="${state}"`, value: state === current ? 1 : 0 }))
  })
  return { name: `fleet_${subsystem}_state`, help: 'Shows the state of the object: 1 for the one it is in.', series }
}

const count = (counter: keyof BundleSummary & string) => (bundle: Bundle) => {
  const value = bundle.status?.summary?.[counter]
  return typeof value === 'number' ? value : 0
}

const BUNDLE_GAUGES: Gauges<Bundle> = [
  ['desired_ready', 'Number of deployments of the bundle.', count('desiredReady')],
  ['ready', 'Number of deployments that are ready.', count('ready')],
  ['not_ready', 'Number of deployments with objects that are not ready.', count('notReady')],
  ['wait_applied', 'Number of deployments that wait to be applied.', count('waitApplied')],
  ['err_applied', 'Number of deployments that failed to be applied.', count('errApplied')],
  ['out_of_sync', 'Number of deployments that hold back a newer version.', count('outOfSync')],
  ['modified', 'Number of deployments with objects that were changed.', count('modified')],
  ['pending', 'Number of deployments that are not to be made yet.', count('pending')],
]

const CLUSTER_GAUGES: Gauges<Cluster> = [
  ['desired_ready_git_repos', 'Number of GitRepos that deploy to the cluster.', ({ status }) => status?.desiredReadyGitRepos],
  ['ready_git_repos', 'Number of GitRepos that are ready on the cluster.', ({ status }) => status?.readyGitRepos],
  ['desired_ready_helm_ops', 'Number of HelmOps that deploy to the cluster.', ({ status }) => status?.desiredReadyHelmOps],
  ['ready_helm_ops', 'Number of HelmOps that are ready on the cluster.', ({ status }) => status?.readyHelmOps],
  [
    'connected',
    'Whether the agent of the cluster reports: 1 if it does.',
    ({ status }) => (getCondition(status?.conditions, 'Connected')?.status === 'True' ? 1 : 0),
  ],
  ...COUNTERS.map(([counter, text]): Gauges<Cluster>[number] => [
    `resources_count_${counter.toLowerCase()}`,
    `Number of objects on the cluster that are ${text}.`,
    ({ status }) => status?.resourceCounts?.[counter],
  ]),
]

const GROUP_GAUGES: Gauges<ClusterGroup> = [
  ['cluster_count', 'Number of clusters in the group.', ({ status }) => status?.clusterCount],
  ['non_ready_cluster_count', 'Number of clusters in the group that are not ready.', ({ status }) => status?.nonReadyClusterCount],
  ...COUNTERS.map(([counter, text]): Gauges<ClusterGroup>[number] => [
    `resource_count_${counter === 'desiredReady' ? 'desired_ready' : counter.toLowerCase()}`,
    `Number of objects on the clusters of the group that are ${text}.`,
    ({ status }) => status?.resourceCounts?.[counter],
  ]),
  ['bundle_desired_ready', 'Number of deployments in the group.', ({ status }) => status?.summary?.desiredReady],
  ['bundle_ready', 'Number of deployments in the group that are ready.', ({ status }) => status?.summary?.ready],
]

function makerGauges<T extends GitRepo | HelmOp>(): Gauges<T> {
  return [
    ...COUNTERS.map(([counter, text]): Gauges<T>[number] => [
      `resources_${words(counter)}`,
      `Number of objects that are ${text}.`,
      ({ status }) => status?.resourceCounts?.[counter],
    ]),
    ['desired_ready_clusters', 'Number of clusters that are deployed to.', ({ status }) => status?.desiredReadyClusters],
    ['ready_clusters', 'Number of clusters where everything is ready.', ({ status }) => status?.readyClusters],
  ]
}

/** `desiredReady` → `desired_ready`. */
function words(counter: string): string {
  return counter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function named({ metadata }: KubeObject): Labels {
  return { name: metadata.name, namespace: metadata.namespace ?? '' }
}

function identity(object: KubeObject): Labels {
  return { ...named(object), generation: object.metadata.generation ?? 0 }
}

function bundleLabels(bundle: Bundle): Labels {
  const { labels } = bundle.metadata
  return {
    ...named(bundle),
    commit: labels?.[COMMIT_LABEL] ?? '',
    repo: labels?.[REPO_NAME_LABEL] ?? '',
    generation: bundle.metadata.generation ?? 0,
  }
}

function deploymentLabels(deployment: BundleDeployment): Labels {
  const labels = deployment.metadata.labels ?? {}
  return {
    ...named(deployment),
    cluster_name: labels[CLUSTER_LABEL] ?? '',
    cluster_namespace: labels[CLUSTER_NAMESPACE_LABEL] ?? '',
    repo: labels[REPO_NAME_LABEL] ?? '',
    commit: labels[COMMIT_LABEL] ?? '',
    bundle: labels[BUNDLE_NAME_LABEL] ?? '',
    bundle_namespace: labels[BUNDLE_NAMESPACE_LABEL] ?? '',
    generation: deployment.metadata.generation ?? 0,
  }
}

function clusterLabels(cluster: Cluster): Labels {
  const labels = cluster.metadata.labels ?? {}
  return {
    ...named(cluster),
    cluster_name: labels[RANCHER_NAME_LABEL] ?? '',
    cluster_display_name: labels[RANCHER_DISPLAY_NAME_LABEL] ?? '',
    generation: cluster.metadata.generation ?? 0,
  }
}

function gitRepoLabels(gitRepo: GitRepo): Labels {
  const { repo, branch, paths } = gitRepo.spec
  return { ...named(gitRepo), repo: redactUrl(repo ?? ''), branch: branch ?? '', paths: (paths ?? []).join(';') }
}

/** The version is the one that is deployed: the spec may hold a range. */
function helmOpLabels(helmOp: HelmOp): Labels {
  const { spec, status } = helmOp
  return { ...named(helmOp), repo: redactUrl(spec.helm?.repo ?? ''), chart: spec.helm?.chart ?? '', version: status?.version ?? '' }
}

/** A ready bundle says so: upstream leaves its state empty. */
function bundleState({ status }: Bundle): string {
  const summary = status?.summary
  return (summary && summaryState(summary)) ?? (isSummaryReady(summary) ? 'Ready' : '')
}

function displayState({ status }: Cluster | ClusterGroup): string {
  return status?.display?.state || (isSummaryReady(status?.summary) ? 'Ready' : 'NotReady')
}
