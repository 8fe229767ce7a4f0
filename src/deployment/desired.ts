// What a deployment should look like after one step of a rollout (spec 2.7 step 9, 5.2–5.4). Pure.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment, BundleDeploymentSpec } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import { BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import {
  BUNDLE_DEPLOYMENT_FINALIZER,
  BUNDLE_NAME_LABEL,
  BUNDLE_NAMESPACE_LABEL,
  CLUSTER_LABEL,
  CLUSTER_NAMESPACE_LABEL,
  CONTENT_NAME_LABEL,
  MANAGED_LABEL,
} from '../api/labels.ts'
import { isPaused } from '../target/rollout-round.ts'
import type { RolloutStep, RolloutTarget } from '../target/rollout-types.ts'
import { labelsForDeployment } from '../target/shared-labels.ts'
import type { Target } from '../target/target.ts'
import { withoutEmpty } from '../target/without-empty.ts'
import type { Contents } from './contents.ts'

/** A target with the deployment that it has. */
export interface DeploymentTarget extends RolloutTarget {
  readonly target: Target
}

export type DeploymentStep = RolloutStep<DeploymentTarget>

type Versioned = Pick<BundleDeploymentSpec, 'stagedOptions' | 'stagedDeploymentID' | 'options' | 'deploymentID'>
type Source = Pick<BundleDeploymentSpec, 'ociContents' | 'helmChartOptions'>

/** The name of its bundle, in the namespace of the cluster. */
export function newDeployment(bundle: Bundle, cluster: Cluster): BundleDeployment {
  return { ...BUNDLE_DEPLOYMENT, metadata: { name: bundle.metadata.name, namespace: cluster.status?.namespace ?? '' }, spec: {} }
}

/**
 * True if the deployment, which has the name of the bundle, is the bundle's, whatever became of its labels: they are put back.
 * False if it is of another bundle of that name, which a mapping brings to the same cluster; `isNamedIn` tells whether a namespace has one.
 */
export function belongsTo(bundle: Bundle, { metadata }: BundleDeployment, isNamedIn: (namespace: string) => boolean): boolean {
  const namespace = metadata.labels?.[BUNDLE_NAMESPACE_LABEL] ?? ''
  return namespace === bundle.metadata.namespace || !isNamedIn(namespace)
}

/**
 * The deployment of a step with labels and spec as they should be, on top of the one that exists or of {@link newDeployment}.
 * `valuesHash`, `waitingForValues` and `downstreamResourcesGeneration` are taken over: who writes secrets knows them.
 */
export function desiredDeployment(bundle: Bundle, contents: Contents, step: DeploymentStep): BundleDeployment {
  const { cluster, deployment, target } = step.target
  const base = deployment ?? newDeployment(bundle, cluster)
  const versioned = versionsAfter(step)
  const source = sourceAfter(bundle, contents, step, versioned)
  const finalizers = base.metadata.finalizers ?? []
  return {
    ...base,
    metadata: {
      ...base.metadata,
      labels: labelsOf(bundle, cluster, versioned, source),
      finalizers: finalizers.includes(BUNDLE_DEPLOYMENT_FINALIZER) ? finalizers : [...finalizers, BUNDLE_DEPLOYMENT_FINALIZER],
    },
    spec: {
      ...versioned,
      ...source,
      ...(isPaused(step.target, bundle.spec.paused ?? false) ? { paused: true } : {}),
      ...(isOffSchedule(cluster) ? { offSchedule: true } : {}),
      ...dependencies(bundle),
      ...correctDrift(target.error === undefined ? target.storedOptions.correctDrift : base.spec.correctDrift),
      ...kept(base.spec),
    },
  }
}

function versionsAfter({ target: { deployment, target }, stage, promote }: DeploymentStep): Versioned {
  const { stagedOptions = {}, stagedDeploymentID, options = {}, deploymentID } = deployment?.spec ?? {}
  const staged = stage
    ? { stagedOptions: target.storedOptions, stagedDeploymentID: target.deploymentId }
    : { stagedOptions, stagedDeploymentID }
  const current = promote ? { options: staged.stagedOptions, deploymentID: staged.stagedDeploymentID } : { options, deploymentID }
  return { ...current, ...staged }
}

/** Where the agent finds the contents belongs to the current version: one that is not replaced yet keeps its source. */
function sourceAfter({ spec }: Bundle, contents: Contents, { target }: DeploymentStep, { deploymentID }: Versioned): Source {
  if (deploymentID && deploymentID !== target.deploymentId) {
    const { ociContents, helmChartOptions } = target.deployment?.spec ?? {}
    return { ...(ociContents ? { ociContents } : {}), ...(helmChartOptions ? { helmChartOptions } : {}) }
  }
  if (contents.kind === 'registry') return { ociContents: true }
  return contents.kind === 'chart' ? { helmChartOptions: withoutEmpty(spec.helmOpOptions ?? {}) } : {}
}

function labelsOf(
  bundle: Bundle,
  cluster: Cluster,
  { deploymentID, stagedDeploymentID }: Versioned,
  source: Source,
): Record<string, string> {
  const [content = ''] = (deploymentID || stagedDeploymentID || '').split(':')
  const isStored = content !== '' && !source.ociContents && !source.helmChartOptions
  return {
    ...labelsForDeployment(bundle.metadata.labels),
    [BUNDLE_NAME_LABEL]: bundle.metadata.name,
    [BUNDLE_NAMESPACE_LABEL]: bundle.metadata.namespace ?? '',
    [MANAGED_LABEL]: 'true',
    [CLUSTER_NAMESPACE_LABEL]: cluster.metadata.namespace ?? '',
    [CLUSTER_LABEL]: cluster.metadata.name,
    ...(isStored ? { [CONTENT_NAME_LABEL]: content } : {}),
  }
}

/** Outside of the time windows of its schedules the agent holds back. */
export function isOffSchedule({ status }: Cluster): boolean {
  return (status?.scheduled ?? false) && !status?.activeSchedule
}

function dependencies({ spec }: Bundle): Pick<BundleDeploymentSpec, 'dependsOn'> {
  return spec.dependsOn?.length ? { dependsOn: spec.dependsOn.map(withoutEmpty) } : {}
}

function correctDrift(value: BundleDeploymentSpec['correctDrift']): Pick<BundleDeploymentSpec, 'correctDrift'> {
  return value ? { correctDrift: value } : {}
}

function kept({ valuesHash, waitingForValues, downstreamResourcesGeneration }: BundleDeploymentSpec): Partial<BundleDeploymentSpec> {
  return {
    ...(valuesHash ? { valuesHash } : {}),
    ...(waitingForValues ? { waitingForValues } : {}),
    ...(downstreamResourcesGeneration ? { downstreamResourcesGeneration } : {}),
  }
}
