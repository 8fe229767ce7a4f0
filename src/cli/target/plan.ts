// The deployments that a bundle gets, as the controller would make them in one round without a limit on new ones (spec 4, 5.2). Pure.
import type { Bundle } from '../../api/bundle.ts'
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import { CONTENT_NAME_LABEL } from '../../api/labels.ts'
import type { Contents } from '../../deployment/contents.ts'
import { type DeploymentTarget, desiredDeployment } from '../../deployment/desired.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import { planRollout } from '../../target/rollout.ts'
import type { RolloutStep } from '../../target/rollout-types.ts'
import type { Target } from '../../target/target.ts'

export interface TargetPlan {
  readonly deployments: readonly BundleDeployment[]
  /** clusters that get nothing, and why */
  readonly skipped: readonly string[]
}

/** Throws TerminalError that names each cluster whose values cannot be made. */
export function planTargets(
  bundle: Bundle,
  contents: Contents,
  targets: readonly Target[],
  existing: readonly BundleDeployment[],
): TargetPlan {
  const errors = targets.flatMap(({ error }) => error ?? [])
  if (errors.length > 0) throw new TerminalError(errors.join('\n'))
  const byNamespace = new Map(existing.map((deployment) => [deployment.metadata.namespace ?? '', deployment]))
  const plan = planRollout({
    targets: targets.map((target) => withDeployment(target, byNamespace)),
    strategy: { ...bundle.spec.rolloutStrategy, maxNew: targets.length },
    paused: bundle.spec.paused ?? false,
  })
  const made = plan.steps.filter(({ create, target }) => create || target.deployment)
  return {
    deployments: made.map((step) => printed(desiredDeployment(bundle, contents, withInlineValues(step)))),
    skipped: plan.steps.flatMap(({ target: { cluster, hindrance } }) =>
      hindrance ? [`cluster ${cluster.metadata.namespace}/${cluster.metadata.name}: ${hindrance}`] : [],
    ),
  }
}

function withDeployment(target: Target, existing: ReadonlyMap<string, BundleDeployment>): DeploymentTarget {
  const { cluster, groups, deploymentId } = target
  const namespace = cluster.status?.namespace
  const base = { target, cluster, groups, deploymentId }
  if (!namespace) return { ...base, hindrance: 'it has no namespace yet, its registration is not complete' }
  return { ...base, deployment: existing.get(namespace) }
}

/** The controller keeps values in secrets; what is printed must be complete. */
function withInlineValues(step: RolloutStep<DeploymentTarget>): RolloutStep<DeploymentTarget> {
  const { target } = step.target
  return { ...step, target: { ...step.target, target: { ...target, storedOptions: target.options } } }
}

/** Without what only matters in the cluster. */
function printed({ apiVersion, kind, metadata, spec }: BundleDeployment): BundleDeployment {
  const { name, namespace, labels = {} } = metadata
  const { [CONTENT_NAME_LABEL]: _content, ...shown } = labels
  const { valuesHash, ...rest } = spec
  const isComplete = spec.deploymentID === spec.stagedDeploymentID
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace ? { namespace } : {}), labels: shown },
    spec: isComplete || !valuesHash ? rest : { ...rest, valuesHash },
  }
}
