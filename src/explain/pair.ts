import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Cluster } from '../api/cluster.ts'
import type { GitRepo } from '../api/git-repo.ts'
import type { BundlePlan } from './plan.ts'

/** A bundle on a cluster, as far as it is known: at least one of cluster and deployment is. */
export interface Pair {
  /** Name of the cluster with its namespace. */
  readonly where: string
  readonly cluster: Cluster | undefined
  readonly deployment: BundleDeployment | undefined
  /** Undefined: the bundle is not there. */
  readonly plan: BundlePlan | undefined
  /** The GitRepo of the bundle. */
  readonly maker: GitRepo | undefined
  /** The bundle is to be deployed there. Only meaningful with plan and cluster. */
  readonly isTarget: boolean
}
