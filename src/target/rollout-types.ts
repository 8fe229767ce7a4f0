// What goes into the plan of a rollout, and what comes out.
import type { PartitionStatus, RolloutStrategy } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Candidate } from './match.ts'

/** What a plan has to know of a target. */
export interface RolloutTarget extends Candidate {
  /** Id of the version the target should run; empty if it could not be worked out: then the target is left as it is. */
  readonly deploymentId: string
  /** The deployment as it is. */
  readonly deployment?: BundleDeployment | undefined
  /** Set if there is no deployment and none may be made now, for example because the cluster has no namespace yet. */
  readonly hindrance?: string | undefined
}

/** What is to happen to the deployment of one target. */
export interface RolloutStep<T> {
  readonly target: T
  /** Make the deployment. */
  readonly create: boolean
  /** The staged version becomes that of the target. */
  readonly stage: boolean
  /** The current version becomes the staged one; also when both have one id but differ in options that are not part of it. */
  readonly promote: boolean
  /** Why there is no deployment, or why it is left as it is, other than by the limits of the strategy: waiting for one's turn needs no word (spec 7.7). */
  readonly obstacle?: string | undefined
}

export interface RolloutPartition<T> extends Omit<PartitionStatus, 'summary'> {
  readonly members: readonly T[]
  /** It was reached, and more members are unavailable than allowed. */
  readonly tooMany: boolean
}

export interface RolloutPlan<T> {
  /** One for each target, sorted by cluster name, then namespace. */
  readonly steps: readonly RolloutStep<T>[]
  readonly partitions: readonly RolloutPartition<T>[]
  readonly newlyCreated: number
  /** True if deployments are missing only because `maxNew` was reached: plan again once the new ones exist. */
  readonly moreToCreate: boolean
  /** Counts the deployments as they are after the plan. */
  readonly unavailable: number
  readonly maxUnavailable: number
  readonly unavailablePartitions: number
  readonly maxUnavailablePartitions: number
}

export interface RolloutInput<T> {
  /** In any order. */
  readonly targets: readonly T[]
  readonly strategy?: RolloutStrategy | null | undefined
  /** The bundle is paused; single clusters may be too. */
  readonly paused: boolean
}
