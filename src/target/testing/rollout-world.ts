// A world of deployments for tests of rollouts: plans are applied to it, and its agents report.
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import type { Cluster } from '../../api/cluster.ts'
import type { RolloutPlan, RolloutTarget } from '../rollout-types.ts'

const apiVersion = 'fleet.cattle.io/v1alpha1'

export function cluster(name: string, labels: Record<string, string> = {}, paused = false): Cluster {
  return { apiVersion, kind: 'Cluster', metadata: { name, namespace: 'ws', labels }, spec: { paused } }
}

/** A deployment that has one version staged, current and applied. */
export function deployment(version: string, ready: boolean): BundleDeployment {
  return {
    apiVersion,
    kind: 'BundleDeployment',
    metadata: { name: 'app' },
    spec: { stagedDeploymentID: version, deploymentID: version },
    status: { appliedDeploymentID: version, ready },
  }
}

/** The targets after the steps of a plan. */
export function applyPlan(plan: RolloutPlan<RolloutTarget>): RolloutTarget[] {
  return plan.steps.map(({ target, create, stage, promote }) => {
    const before = target.deployment ?? (create ? { apiVersion, kind: 'BundleDeployment', metadata: { name: 'app' }, spec: {} } : undefined)
    if (!before) return target
    const stagedDeploymentID = stage ? target.deploymentId : before.spec.stagedDeploymentID
    const deploymentID = promote ? stagedDeploymentID : before.spec.deploymentID
    return { ...target, deployment: { ...before, spec: { stagedDeploymentID, deploymentID } } }
  })
}

/** All agents have applied their current version and are ready. */
export function report(targets: readonly RolloutTarget[]): RolloutTarget[] {
  return targets.map((target) => {
    if (!target.deployment) return target
    const appliedDeploymentID = target.deployment.spec.deploymentID
    return { ...target, deployment: { ...target.deployment, status: { appliedDeploymentID, ready: true } } }
  })
}

/** `current/staged` by cluster, where there is a deployment. */
export function versions(targets: readonly RolloutTarget[]): Record<string, string> {
  const existing = targets.filter((target) => target.deployment)
  return Object.fromEntries(
    existing.map(({ cluster: { metadata }, deployment: bd }) => [
      metadata.name,
      `${bd?.spec.deploymentID ?? ''}/${bd?.spec.stagedDeploymentID ?? ''}`,
    ]),
  )
}

/** How many deployments are not applied or not ready. */
export function unavailable(targets: readonly RolloutTarget[]): number {
  return targets.filter(({ deployment: bd }) => bd && (bd.status?.appliedDeploymentID !== bd.spec.deploymentID || !bd.status?.ready)).length
}
