// Link `target`: does the bundle go to the cluster at all? (spec 4)
import type { BundleTarget } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL } from '../api/labels.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { customizationCount } from '../target/customize.ts'
import { type Candidate, compileCriteria, matchesAnyGroup } from '../target/match.ts'
import { type Finding, quoted, timeIn } from './finding.ts'
import { type BundlePlan, rivalOf } from './plan.ts'
import type { World } from './world.ts'

const MAX_NAMED = 3

function blocked(reason: string, message: string, more: Partial<Finding> = {}): Finding {
  return { link: 'target', state: 'blocked', reason, message, ...more }
}

/** What is wrong with the targets as a whole: invalid ones, or none that match. */
export function checkTargets(plan: BundlePlan, world: World): Finding | undefined {
  const { bundle, targetError, targets, deployments } = plan
  const about = `bundle ${keyOf(bundle)}`
  if (targetError !== undefined)
    return blocked(
      'InvalidSelector',
      `the targets of ${about} cannot be matched: ${targetError}; correct its targets or those of its gitrepo`,
    )
  if (targets.length > 0 || bundle.metadata.deletionTimestamp) return undefined
  if (deployments.size > 0 && plan.candidates.length === 0) return undefined // nothing is known of the clusters
  return blocked('NoTargets', `no cluster is a target of ${about}: ${whyNone(plan, world)}`, {
    since: timeIn(bundle.metadata.creationTimestamp),
  })
}

function whyNone(plan: BundlePlan, world: World): string {
  const { bundle, candidates, namespaces } = plan
  const where = namespaces.length > 1 ? `namespaces ${namespaces.slice(0, MAX_NAMED).join(', ')}` : `namespace ${namespaces[0] ?? ''}`
  const hints = [...mappingHints(plan), ...missingNames(plan, world)]
  const more = hints.length > 0 ? `; ${hints.join('; ')}` : ''
  if (!bundle.spec.targets?.length) return `it names no targets: set spec.targets${more}`
  if (candidates.length === 0) return `there are no clusters in ${where}: register one${more}`
  const excluded = candidates.filter((candidate) => exclusionOf(plan, candidate) !== undefined).length
  const held = excluded > 0 ? ` (${excluded} match an entry with doNotDeploy)` : ''
  return `none of the ${candidates.length} clusters in ${where} matches its targets${held}: change the targets, or label the clusters${more}`
}

function mappingHints({ invalidMappings }: BundlePlan): string[] {
  return invalidMappings.slice(0, MAX_NAMED).map((text) => `bundlenamespacemapping ${text}, so it is ignored`)
}

/** Names in targets that stand for nothing. */
function missingNames({ bundle, namespaces, candidates }: BundlePlan, world: World): string[] {
  const groups = new Set(namespaces.flatMap((namespace) => world.groups.in(namespace).map(({ metadata }) => metadata.name)))
  const isCluster = (name: string) => candidates.some((candidate) => matches({ clusterName: name }, candidate))
  const missing = (bundle.spec.targets ?? []).flatMap(({ clusterGroup, clusterName }) => [
    ...(clusterGroup && !groups.has(clusterGroup) ? [`there is no clustergroup ${clusterGroup}`] : []),
    ...(clusterName && !isCluster(clusterName) ? [`there is no cluster ${clusterName}`] : []),
  ])
  return [...new Set(missing)].slice(0, MAX_NAMED)
}

/** What is wrong with one cluster as a target. */
export function checkTarget(plan: BundlePlan, cluster: Cluster, world: World): Finding | undefined {
  const about = `bundle ${keyOf(plan.bundle)}`
  const name = keyOf(cluster)
  const rival = rivalOf(plan, cluster, world)
  if (rival) return taken(about, name, rival.metadata.labels ?? {}, rival.metadata.namespace ?? '')
  const hubError = plan.hubErrors.get(name)
  if (hubError !== undefined)
    return blocked('TargetError', `what ${about} means for cluster ${name} cannot be worked out or written: ${quoted(hubError)}`, {
      sameAs: hubError.replaceAll(cluster.metadata.name, ''),
    })
  if (cluster.status?.namespace) return undefined
  return {
    link: 'target',
    state: 'waiting',
    reason: 'NoClusterNamespace',
    message: `cluster ${name} has no namespace on the hub yet, its registration is not complete: see fleet explain cluster ${cluster.metadata.name}`,
    since: timeIn(cluster.metadata.creationTimestamp),
  }
}

function taken(about: string, cluster: string, labels: Record<string, string>, namespace: string): Finding {
  const other = keyOf({ namespace: labels[BUNDLE_NAMESPACE_LABEL], name: labels[BUNDLE_NAME_LABEL] ?? 'unknown' })
  return blocked(
    'NameTaken',
    `${about} cannot go to cluster ${cluster}: its name is taken in namespace ${namespace} by bundle ${other}; rename one of them`,
    {
      sameAs: other,
    },
  )
}

/** Why a cluster is no target. */
export function whyNoTarget(plan: BundlePlan, cluster: Cluster, world: World): Finding {
  const about = `bundle ${keyOf(plan.bundle)}`
  const name = keyOf(cluster)
  const candidate = plan.candidates.find((one) => one.cluster === cluster)
  if (cluster.metadata.deletionTimestamp) return blocked('ClusterDeleting', `cluster ${name} is being deleted`)
  if (!candidate) return notReached(plan, about, cluster)
  const exclusion = exclusionOf(plan, candidate)
  if (exclusion !== undefined)
    return blocked('DoNotDeploy', `${about} is kept away from cluster ${name}: target ${exclusion} says doNotDeploy`)
  const isMatch = plainTargets(plan).some((target) => matches(target, candidate))
  if (isMatch)
    return blocked(
      'Restricted',
      `cluster ${name} matches a target of ${about}, but none of its targetRestrictions: add the cluster to the targets of the gitrepo`,
    )
  const hints = missingNames(plan, world)
  const more = hints.length > 0 ? `; ${hints.join('; ')}` : ''
  return blocked('NotMatched', `cluster ${name} matches none of the targets of ${about}: change the targets, or label the cluster${more}`)
}

function notReached(plan: BundlePlan, about: string, cluster: Cluster): Finding {
  const { namespace = '' } = cluster.metadata
  const hints = mappingHints(plan)
  const more = hints.length > 0 ? `; ${hints.join('; ')}` : ''
  const message = `${about} cannot reach cluster ${keyOf(cluster)}: no bundlenamespacemapping in namespace ${plan.bundle.metadata.namespace ?? ''} leads it to namespace ${namespace}; create one whose selectors match both${more}`
  return blocked('NotMapped', message)
}

/** The entry that keeps the bundle away from a cluster, by name or number. */
function exclusionOf(plan: BundlePlan, candidate: Candidate): string | undefined {
  const { targets = [] } = plan.bundle.spec
  const border = customizationCount(plan.bundle.spec)
  const chosen = targets.findIndex((target, index) => index >= border && matches(target, candidate))
  if (chosen < 0) return undefined
  const excluding = [chosen, ...targets.keys()].find((index) => {
    const target = targets[index]
    return target?.doNotDeploy && (index === chosen || (index < border && matches(target, candidate)))
  })
  return excluding === undefined ? undefined : targets[excluding]?.name || `#${excluding + 1}`
}

function plainTargets({ bundle }: BundlePlan): readonly BundleTarget[] {
  return (bundle.spec.targets ?? []).slice(customizationCount(bundle.spec))
}

function matches(target: BundleTarget, candidate: Candidate): boolean {
  try {
    return matchesAnyGroup(compileCriteria(target), candidate)
  } catch {
    return false // an invalid selector is told of the bundle
  }
}
