// What a bundle means for the clusters that it can reach: its targets, the partitions of its rollout, and what the hub says of single clusters.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import { deploymentState } from '../api/state.ts'
import type { NonReadyResource } from '../api/status.ts'
import { messageOf } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { candidatesOf, namespacesOf } from '../target/candidates.ts'
import { type Chooser, compileTargets } from '../target/customize.ts'
import type { Candidate } from '../target/match.ts'
import { partitionsOf } from '../target/partitions.ts'
import { bundleKeyOf, type World } from './world.ts'

export interface BundlePlan {
  readonly bundle: Bundle
  /** Namespaces whose clusters it may reach. */
  readonly namespaces: readonly string[]
  /** Mappings with an invalid selector, as `name: error`. */
  readonly invalidMappings: readonly string[]
  readonly candidates: readonly Candidate[]
  readonly targets: readonly Candidate[]
  /** Why targets cannot be told: a selector is invalid. */
  readonly targetError: string | undefined
  /** Why the rollout strategy cannot be followed. */
  readonly strategyError: string | undefined
  /** Its deployments by namespace. */
  readonly deployments: ReadonlyMap<string, BundleDeployment>
  /** What the hub lists as not ready in the status of the bundle, by key of the cluster. */
  readonly listed: ReadonlyMap<string, NonReadyResource>
  /** Clusters for which the hub could not work out or write a deployment, with the message. */
  readonly hubErrors: ReadonlyMap<string, string>
  /** Clusters in partitions that are not reached, by key, with the partition that they wait for. */
  readonly held: ReadonlyMap<string, HeldPartition>
  /** Clusters that are in no partition, by key. */
  readonly unpartitioned: ReadonlySet<string>
}

export interface HeldPartition {
  readonly name: string
  readonly blockedBy: string
  readonly unavailable: number
  readonly maxUnavailable: number
  /** No cluster of the partition is ready for the new version. */
  readonly isWhollyBehind: boolean
}

export function planOf(bundle: Bundle, world: World): BundlePlan {
  const reach = namespacesOf(bundle, world.mappings.in(bundle.metadata.namespace ?? ''), world.namespaces)
  const candidates = candidatesOf(
    reach.namespaces,
    (namespace) => world.clusters.in(namespace),
    (namespace) => world.groups.in(namespace),
  )
  const targeting = tried(() => choose(compileTargets(bundle.spec), candidates))
  const targets = targeting.value ?? []
  const deployments = new Map(world.deploymentsOf(keyOf(bundle)).map((deployment) => [deployment.metadata.namespace ?? '', deployment]))
  const listed = listedIn(bundle)
  const rollout = tried(() => partitionedBy(bundle, targets))
  return {
    bundle,
    namespaces: reach.namespaces,
    invalidMappings: reach.invalid.map(({ mapping, error }) => `${mapping.metadata.name}: ${error.message}`),
    candidates,
    targets,
    targetError: targeting.error,
    strategyError: rollout.error,
    deployments,
    listed,
    hubErrors: hubErrorsOf(targets, deployments, listed),
    held: rollout.value?.held ?? new Map(),
    unpartitioned: rollout.value?.unpartitioned ?? new Set(),
  }
}

function tried<T>(work: () => T): { readonly value?: T; readonly error?: string } {
  try {
    return { value: work() }
  } catch (error) {
    return { error: messageOf(error) }
  }
}

function choose(chooser: Chooser, candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter((candidate) => chooser(candidate) !== undefined)
}

function listedIn({ status }: Bundle): ReadonlyMap<string, NonReadyResource> {
  const summaries = [status?.summary, ...(status?.partitions ?? []).map(({ summary }) => summary)]
  return new Map(summaries.flatMap((summary) => (summary?.nonReadyResources ?? []).map((entry) => [entry.name ?? '', entry] as const)))
}

/** The hub counts them as errors, their agents know nothing of one. */
function hubErrorsOf(
  targets: readonly Candidate[],
  deployments: ReadonlyMap<string, BundleDeployment>,
  listed: ReadonlyMap<string, NonReadyResource>,
): ReadonlyMap<string, string> {
  const errors = targets.flatMap(({ cluster }): [string, string][] => {
    const entry = listed.get(keyOf(cluster))
    if (entry?.bundleState !== 'ErrApplied' || !entry.message) return []
    const deployment = deployments.get(cluster.status?.namespace ?? '')
    const isOfAgent = deployment && deploymentState(deployment) === 'ErrApplied'
    return isOfAgent ? [] : [[keyOf(cluster), entry.message]]
  })
  return new Map(errors)
}

/** The status says how far the rollout has come, the spec which clusters that concerns. */
function partitionedBy({ spec, status }: Bundle, targets: readonly Candidate[]): Pick<BundlePlan, 'held' | 'unpartitioned'> {
  const partitions = partitionsOf(targets, spec.rolloutStrategy ?? {})
  const counted = new Map((status?.partitions ?? []).map((partition) => [partition.name, partition]))
  const held = new Map<string, HeldPartition>()
  const reached = new Set<Cluster>()
  let failed = 0
  let blocker: Pick<HeldPartition, 'blockedBy' | 'unavailable' | 'maxUnavailable'> | undefined
  for (const { name, members, maxUnavailable } of partitions) {
    const partition = counted.get(name)
    const { ready = 0, desiredReady = 0 } = partition?.summary ?? {}
    for (const { cluster } of members) {
      if (blocker && !reached.has(cluster)) held.set(keyOf(cluster), { name, ...blocker, isWhollyBehind: ready === 0 && desiredReady > 0 })
      else reached.add(cluster)
    }
    const unavailable = partition?.unavailable ?? 0
    if (!blocker && unavailable > maxUnavailable && ++failed > (status?.maxUnavailablePartitions ?? 0))
      blocker = { blockedBy: name, unavailable, maxUnavailable }
  }
  const placed = new Set(partitions.flatMap(({ members }) => members.map(({ cluster }) => cluster)))
  const unpartitioned = targets.filter(({ cluster }) => !placed.has(cluster)).map(({ cluster }) => keyOf(cluster))
  return { held, unpartitioned: new Set(unpartitioned) }
}

/** The deployment of another bundle that has the name which this one's needs in the namespace of a cluster. */
export function rivalOf({ bundle }: BundlePlan, cluster: Cluster, world: World): BundleDeployment | undefined {
  const namespace = cluster.status?.namespace
  const found = namespace ? world.deployments.get(bundle.metadata.name, namespace) : undefined
  return found && bundleKeyOf(found) !== keyOf(bundle) ? found : undefined
}
