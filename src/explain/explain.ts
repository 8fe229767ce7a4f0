// Why is it not deployed? The way of a change, link by link, over plain objects: `explain` is all there is to call.
import type { Bundle } from '../api/bundle.ts'
import type { Cluster } from '../api/cluster.ts'
import { BUNDLE_NAMESPACE_LABEL, CLUSTER_DISPLAY_NAME_LABEL, HELM_OP_LABEL, REPO_NAME_LABEL } from '../api/labels.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { checkHeartbeat } from './agent.ts'
import { assemble, type Part, type Scope } from './assemble.ts'
import { checkBundle, missingBundle, noBundles } from './bundle.ts'
import { makerOf, pairsOf } from './chain.ts'
import { checkRegistration } from './cluster.ts'
import type { Finding } from './finding.ts'
import type { Pair } from './pair.ts'
import { type BundlePlan, planOf } from './plan.ts'
import { type Checked, checkGitRepo, checkHelmOp } from './source.ts'
import { checkTargets, whyNoTarget } from './target.ts'
import type { ExplainObjects, Explanation, Subject } from './types.ts'
import { bundleKeyOf, clusterNameOf, clusterOf, createWorld, type World } from './world.ts'

/**
 * Explains where a change of the subject has got to, and what it waits for. `now` is in milliseconds. Never throws, whatever is missing in the objects.
 *
 *     explain({ kind: 'Bundle', namespace: 'fleet-default', name: 'app' }, { bundles, bundleDeployments, clusters }, Date.now()).blocking?.message
 */
export function explain(subject: Subject, objects: ExplainObjects, now: number): Explanation {
  const world = createWorld(objects, now)
  const scope = scopeOf(subject, world, objects)
  return scope ? assemble(subject, scope, world) : missing(subject)
}

function missing(subject: Subject): Explanation {
  const { kind, namespace, name } = subject
  const message = `${kind.toLowerCase()} ${keyOf({ namespace, name })} does not exist`
  const blocking = { name: 'source', state: 'blocked', reason: 'Missing', message } as const
  return { subject, verdict: 'missing', links: [blocking], blocking }
}

function scopeOf(subject: Subject, world: World, objects: ExplainObjects): Scope | undefined {
  switch (subject.kind) {
    case 'GitRepo':
    case 'HelmOp':
      return ofMaker(subject, world)
    case 'Bundle':
      return ofBundle(subject, world, objects)
    case 'BundleDeployment':
      return ofDeployment(subject, world, objects)
    case 'Cluster':
      return ofCluster(subject, world, objects)
  }
}

function ofMaker({ kind, namespace, name, cluster }: Subject, world: World): Scope | undefined {
  const isGit = kind === 'GitRepo'
  const source = isGit
    ? checked(world.gitRepos.get(name, namespace), checkGitRepo, world)
    : checked(world.helmOps.get(name, namespace), checkHelmOp, world)
  if (!source) return undefined
  const about = keyOf({ namespace, name })
  const label = isGit ? REPO_NAME_LABEL : HELM_OP_LABEL
  const plans = world.bundles
    .in(namespace)
    .filter(({ metadata }) => metadata.labels?.[label] === name)
    .map((bundle) => planOf(bundle, world))
  const bundles =
    plans.length > 0 || 'finding' in source
      ? plans.map((plan) => bundlePart(plan, world))
      : [{ where: about, checked: { finding: noBundles(`${kind.toLowerCase()} ${about}`, isGit) } }]
  return { sources: [{ where: about, checked: source }], bundles, ...pairsIn(plans, cluster, world) }
}

function checked<T>(object: T | undefined, check: (object: T, world: World) => Checked, world: World): Checked | undefined {
  return object && check(object, world)
}

function ofBundle({ namespace, name, cluster }: Subject, world: World, objects: ExplainObjects): Scope | undefined {
  const bundle = world.bundles.get(name, namespace)
  if (!bundle) return undefined
  const plan = planOf(bundle, world)
  return { sources: [sourcePart(bundle, world, objects)], bundles: [bundlePart(plan, world)], ...pairsIn([plan], cluster, world) }
}

/** A deployment by its own namespace, or by that of its bundle: then of all clusters, or of one. */
function ofDeployment({ namespace, name, cluster }: Subject, world: World, objects: ExplainObjects): Scope | undefined {
  const own = world.deployments.get(name, namespace)
  const found = own
    ? [own]
    : world.deployments.all.filter(({ metadata }) => metadata.name === name && metadata.labels?.[BUNDLE_NAMESPACE_LABEL] === namespace)
  if (found.length === 0) return undefined
  const key = found.map(bundleKeyOf).find((one) => one !== undefined)
  const bundle = world.bundles.all.find((one) => keyOf(one) === key)
  const plan = bundle && planOf(bundle, world)
  const all = plan ? pairsOf(plan, world) : found.map((deployment) => lonePair(deployment, world))
  const pairs = all.filter((pair) => pair.deployment && found.includes(pair.deployment) && (!cluster || isNamed(pair, cluster)))
  if (pairs.length === 0) return undefined
  return {
    sources: bundle ? [sourcePart(bundle, world, objects)] : [],
    bundles: [plan ? bundlePart(plan, world) : { where: key ?? name, checked: { finding: missingBundle(key ?? name) } }],
    targets: [],
    pairs,
  }
}

function lonePair(deployment: NonNullable<Pair['deployment']>, world: World): Pair {
  const cluster = clusterOf(deployment, world)
  return { where: clusterNameOf(deployment, cluster), cluster, deployment, plan: undefined, maker: undefined, isTarget: true }
}

function ofCluster(subject: Subject, world: World, objects: ExplainObjects): Scope | undefined {
  const cluster =
    world.clusters.get(subject.name, subject.namespace) ?? world.clusters.in(subject.namespace).find((one) => isCalled(one, subject.name))
  if (!cluster) return undefined
  const registration = checkRegistration(cluster)
  const silence = checkHeartbeat(cluster, world)
  const isEarly = 'finding' in registration && silence?.reason !== 'AgentOffline'
  const plans = world.bundles.all.map((bundle) => {
    const plan = planOf(bundle, world)
    return { plan, pairs: pairsOf(plan, world).filter((pair) => pair.cluster === cluster) }
  })
  const concerned = plans.filter(({ pairs }) => pairs.length > 0)
  const known = new Set(world.bundles.all.map(keyOf))
  const lone = world.deployments.in(cluster.status?.namespace ?? '').filter((deployment) => !known.has(bundleKeyOf(deployment) ?? ''))
  const makers = new Map(concerned.map(({ plan }) => sourcePart(plan.bundle, world, objects)).map((part) => [part.where, part]))
  return {
    cluster: {
      registration,
      agent: isEarly
        ? undefined
        : silence
          ? { finding: silence }
          : { note: `its agent has reported at ${cluster.status?.agent?.lastSeen}` },
    },
    sources: [...makers.values()],
    bundles: [
      ...concerned.map(({ plan }) => bundlePart(plan, world)),
      ...lone.map((deployment) => ({
        where: bundleKeyOf(deployment) ?? keyOf(deployment),
        checked: { finding: missingBundle(bundleKeyOf(deployment) ?? keyOf(deployment)) },
      })),
    ],
    targets: [],
    pairs: [...concerned.flatMap(({ pairs }) => pairs), ...lone.map((deployment) => lonePair(deployment, world))],
  }
}

function bundlePart(plan: BundlePlan, world: World): Part {
  return { where: keyOf(plan.bundle), checked: checkBundle(plan, makerOf(plan, world), world) }
}

/** The link source of a single bundle. */
function sourcePart(bundle: Bundle, world: World, objects: ExplainObjects): Part {
  const { labels, namespace } = bundle.metadata
  const [repo, op] = [labels?.[REPO_NAME_LABEL], labels?.[HELM_OP_LABEL]]
  const name = repo ?? op
  if (!name) return { where: keyOf(bundle), checked: { note: `bundle ${keyOf(bundle)} was made by hand or by fleet apply` } }
  const where = keyOf({ namespace, name })
  const kind = repo ? 'gitrepo' : 'helmop'
  const found = repo
    ? checked(world.gitRepos.get(name, namespace), checkGitRepo, world)
    : checked(world.helmOps.get(name, namespace), checkHelmOp, world)
  if (found) return { where, checked: found }
  const isKnown = (repo ? objects.gitRepos : objects.helmOps) !== undefined
  if (!isKnown) return { where, checked: { note: `it comes from ${kind} ${where}` } }
  const message = `bundle ${keyOf(bundle)} comes from ${kind} ${where}, which does not exist: nobody changes or removes the bundle any more`
  return { where, checked: { finding: { link: 'source', state: 'unknown', reason: 'SourceMissing', message } } }
}

/** The pairs of bundles, all of them or those on one cluster; where there are none, the reason. */
function pairsIn(plans: readonly BundlePlan[], cluster: string | undefined, world: World): Pick<Scope, 'targets' | 'pairs'> {
  const parts = plans.map((plan) => {
    const error = checkTargets(plan, world)
    const pairs = pairsOf(plan, world)
    const where = keyOf(plan.bundle)
    if (!cluster) return { targets: error ? [{ where, checked: { finding: error } }] : [], pairs }
    const wanted = pairs.filter((pair) => isNamed(pair, cluster))
    if (wanted.length > 0) return { targets: [], pairs: wanted }
    const finding = plan.targetError !== undefined && error ? error : absence(plan, cluster, world)
    return { targets: [{ where, checked: { finding } }], pairs: [] }
  })
  const targets = parts.flatMap((part) => part.targets)
  const pairs = parts.flatMap((part) => part.pairs)
  // Of one cluster only: that some bundles of a repository do not go there is as it should be, as long as one does.
  return {
    targets: cluster && pairs.length > 0 ? targets.filter(({ checked: { finding } }) => finding.reason === 'InvalidSelector') : targets,
    pairs,
  }
}

function absence(plan: BundlePlan, name: string, world: World): Finding {
  const namespaces = plan.namespaces
  const known = world.clusters.all.filter((one) => isCalled(one, name))
  const cluster = known.find(({ metadata }) => namespaces.includes(metadata.namespace ?? '')) ?? known[0]
  if (cluster) return whyNoTarget(plan, cluster, world)
  const message = `there is no cluster ${name} in namespace ${namespaces.join(', ')}`
  return { link: 'target', state: 'blocked', reason: 'ClusterMissing', message }
}

function isNamed({ cluster, where }: Pair, name: string): boolean {
  return where === name || where.endsWith(`/${name}`) || (cluster !== undefined && isCalled(cluster, name))
}

function isCalled(cluster: Cluster, name: string): boolean {
  return cluster.metadata.name === name || keyOf(cluster) === name || cluster.metadata.labels?.[CLUSTER_DISPLAY_NAME_LABEL] === name
}
