// All kinds with what their CRDs say beside the schema (spec 1.1). Importing this file builds every schema: only the validator and the generator do.
import type { TSchema } from 'typebox'
import { Bundle } from './bundle.ts'
import { BundleDeployment } from './bundle-deployment.ts'
import { BundleNamespaceMapping } from './bundle-namespace-mapping.ts'
import { Cluster } from './cluster.ts'
import { ClusterGroup } from './cluster-group.ts'
import { ClusterRegistration } from './cluster-registration.ts'
import { ClusterRegistrationToken } from './cluster-registration-token.ts'
import { Content } from './content.ts'
import { GitRepo } from './git-repo.ts'
import { GitRepoRestriction } from './git-repo-restriction.ts'
import { HelmOp } from './helm-op.ts'
import { ImageScan } from './image-scan.ts'
import { Policy } from './policy.ts'
import { Schedule } from './schedule.ts'

/** A kind as the API server is told of it. */
export interface KindDefinition {
  readonly kind: string
  readonly plural: string
  readonly schema: TSchema
  /** Column of `kubectl get` → JSON path. */
  readonly columns: Readonly<Record<string, string>>
  readonly clusterScoped?: boolean
  /** Listed by `kubectl get fleet`. */
  readonly inCategory?: boolean
  readonly withoutStatus?: boolean
}

const READY_MESSAGE = '.status.conditions[?(@.type=="Ready")].message'

/** Every kind, in the order in which the documentation has them. */
export const DEFINITIONS: readonly KindDefinition[] = [
  {
    kind: 'GitRepo',
    plural: 'gitrepos',
    schema: GitRepo,
    inCategory: true,
    columns: {
      Repo: '.spec.repo',
      Commit: '.status.commit',
      'BundleDeployments-Ready': '.status.display.readyBundleDeployments',
      Status: READY_MESSAGE,
    },
  },
  {
    kind: 'HelmOp',
    plural: 'helmops',
    schema: HelmOp,
    inCategory: true,
    columns: {
      Repo: '.spec.helm.repo',
      Chart: '.spec.helm.chart',
      Version: '.status.version',
      'BundleDeployments-Ready': '.status.display.readyBundleDeployments',
      Status: READY_MESSAGE,
    },
  },
  {
    kind: 'Bundle',
    plural: 'bundles',
    schema: Bundle,
    columns: { 'BundleDeployments-Ready': '.status.display.readyClusters', Status: READY_MESSAGE },
  },
  {
    kind: 'BundleDeployment',
    plural: 'bundledeployments',
    schema: BundleDeployment,
    columns: { Deployed: '.status.display.deployed', Monitored: '.status.display.monitored', Status: READY_MESSAGE },
  },
  {
    kind: 'Cluster',
    plural: 'clusters',
    schema: Cluster,
    columns: { 'Bundles-Ready': '.status.display.readyBundles', 'Last-Seen': '.status.agent.lastSeen', Status: READY_MESSAGE },
  },
  {
    kind: 'ClusterGroup',
    plural: 'clustergroups',
    schema: ClusterGroup,
    inCategory: true,
    columns: {
      'Clusters-Ready': '.status.display.readyClusters',
      'Bundles-Ready': '.status.display.readyBundles',
      Status: READY_MESSAGE,
    },
  },
  {
    kind: 'ClusterRegistrationToken',
    plural: 'clusterregistrationtokens',
    schema: ClusterRegistrationToken,
    columns: { 'Secret-Name': '.status.secretName' },
  },
  {
    kind: 'ClusterRegistration',
    plural: 'clusterregistrations',
    schema: ClusterRegistration,
    columns: { 'Cluster-Name': '.status.clusterName', Labels: '.spec.clusterLabels' },
  },
  {
    kind: 'Schedule',
    plural: 'schedules',
    schema: Schedule,
    columns: {
      Schedule: '.spec.schedule',
      Duration: '.spec.duration',
      Active: '.status.active',
      NextStart: '.status.nextStartTime',
    },
  },
  { kind: 'Policy', plural: 'policies', schema: Policy, columns: {}, withoutStatus: true },
  {
    kind: 'GitRepoRestriction',
    plural: 'gitreporestrictions',
    schema: GitRepoRestriction,
    columns: { 'Default-ServiceAccount': '.defaultServiceAccount', 'Allowed-ServiceAccounts': '.allowedServiceAccounts' },
  },
  { kind: 'BundleNamespaceMapping', plural: 'bundlenamespacemappings', schema: BundleNamespaceMapping, columns: {} },
  {
    kind: 'ImageScan',
    plural: 'imagescans',
    schema: ImageScan,
    columns: { Repository: '.spec.image', Latest: '.status.latestTag' },
  },
  { kind: 'Content', plural: 'contents', schema: Content, columns: {}, clusterScoped: true },
]
