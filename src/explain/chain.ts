// One bundle on one cluster, link by link.
import { REPO_NAME_LABEL } from '../api/labels.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { checkAgent } from './agent.ts'
import { checkApply } from './apply.ts'
import type { Finding } from './finding.ts'
import { checkHealth } from './health.ts'
import type { Pair } from './pair.ts'
import type { BundlePlan } from './plan.ts'
import { checkRollout } from './rollout.ts'
import { checkTarget } from './target.ts'
import { clusterNameOf, clusterOf, type World } from './world.ts'

/** The first link that is not done; undefined: deployed and ready. */
export function checkPair(pair: Pair, world: World): Finding | undefined {
  const { plan, cluster, isTarget } = pair
  return (
    (plan && cluster && isTarget ? checkTarget(plan, cluster, world) : undefined) ??
    checkRollout(pair, world) ??
    checkAgent(pair, world) ??
    checkApply(pair, world) ??
    checkHealth(pair)
  )
}

/** The targets of a bundle, and its deployments on clusters that are none. */
export function pairsOf(plan: BundlePlan, world: World): Pair[] {
  const maker = makerOf(plan, world)
  const targets = plan.targets.map(({ cluster }): Pair => {
    const deployment = plan.deployments.get(cluster.status?.namespace ?? '')
    return { where: keyOf(cluster), cluster, deployment, plan, maker, isTarget: true }
  })
  const paired = new Set(targets.map(({ deployment }) => deployment))
  // Without usable targets nothing can be said about who is one.
  const isKnown = plan.targetError === undefined
  const others = [...plan.deployments.values()]
    .filter((deployment) => !paired.has(deployment))
    .map((deployment): Pair => {
      const cluster = clusterOf(deployment, world)
      return { where: clusterNameOf(deployment, cluster), cluster, deployment, plan, maker, isTarget: !isKnown }
    })
  return [...targets, ...others]
}

/** The GitRepo of a bundle. */
export function makerOf({ bundle }: BundlePlan, { gitRepos }: World): Pair['maker'] {
  const name = bundle.metadata.labels?.[REPO_NAME_LABEL]
  return name ? gitRepos.get(name, bundle.metadata.namespace) : undefined
}
