// Bundle: what to deploy, where and how. Made from a GitRepo or HelmOp, by the command line, or by hand.
import { HelmChartOptions, optionsFields } from './bundle-deployment-options.ts'
import { flag, int64, integer, intOrString, kind, list, object, oneOf, type Static, text, texts } from './schema.ts'
import { clusterTarget, selector, targetFields } from './selectors.ts'
import { BundleSummary, conditions } from './status.ts'

const BundleResource = object(
  {
    name: text('Path of the file in the bundle.'),
    content: text('The file.'),
    encoding: text('Empty for text, base64+gz for anything else.'),
  },
  'A file.',
)
/** A file of a bundle; `encoding` is empty or `base64+gz`. */
export type BundleResource = Static<typeof BundleResource>

const BundleTarget = object(
  { ...optionsFields, ...targetFields, doNotDeploy: flag('Do not deploy to the clusters that this entry matches.') },
  'Clusters to deploy to, with options that are merged over those of the bundle.',
  { title: 'BundleTarget' },
)
/** Clusters and the options that are special to them. */
export type BundleTarget = Static<typeof BundleTarget>

const BundleTargetRestriction = clusterTarget('Clusters that may be deployed to.')
/** Clusters that may be deployed to. */
export type BundleTargetRestriction = Static<typeof BundleTargetRestriction>

export const BundleRef = object(
  {
    name: text('Name of a bundle.'),
    selector: selector('Bundles with these labels.'),
    acceptedStates: texts('States in which the others count as ready; Ready if empty.'),
  },
  'Bundles that must be ready before.',
  { title: 'BundleRef' },
)
/** Bundles that must be ready before. */
export type BundleRef = Static<typeof BundleRef>

const Partition = object(
  { ...targetFields, maxUnavailable: intOrString('Clusters of the partition that may be unavailable, as number or percentage.') },
  'Clusters that are rolled out to together.',
  { title: 'Partition' },
)
/** Clusters that are rolled out to together. */
export type Partition = Static<typeof Partition>

const RolloutStrategy = object(
  {
    maxUnavailable: intOrString('Clusters that may be unavailable at a time, as number or percentage; all if absent.'),
    maxUnavailablePartitions: intOrString('Partitions that may be unavailable at a time; none if absent.'),
    autoPartitionSize: intOrString('Size of the partitions that are made for clusters in none; 25% if absent.'),
    autoPartitionThreshold: integer('With fewer clusters than this, no partitions are made; 200 if absent.'),
    maxNew: integer('How many deployments may be created at a time; 50 if absent.'),
    partitions: list(Partition, 'Partitions, in the order in which they are rolled out.'),
  },
  'Order and pace of a rollout.',
  { title: 'RolloutStrategy' },
)
/** Order and pace of a rollout. */
export type RolloutStrategy = Static<typeof RolloutStrategy>

/** The fields of a Bundle's spec, for HelmOp, which has them too. */
export const bundleSpecFields = {
  ...optionsFields,
  paused: flag('Prepare changes, but do not deploy them.'),
  rolloutStrategy: RolloutStrategy,
  resources: list(BundleResource, 'The files; empty when they are stored in a registry.'),
  targetCustomizationMode: oneOf(
    'Whether the first matching target counts, or all of them merged in order.',
    ['FirstMatch', 'AllMatches'],
    {
      default: 'FirstMatch',
    },
  ),
  targets: list(BundleTarget, 'Clusters to deploy to; the first entry that matches a cluster counts.'),
  targetRestrictions: list(BundleTargetRestriction, 'If not empty, only clusters that match here are deployed to.'),
  dependsOn: list(BundleRef, 'Bundles that must be ready before.'),
  contentsId: text('Set when the files are stored in a registry.'),
  helmOpOptions: HelmChartOptions,
  valuesHash: text('Hash of the values secret.'),
}

const BundleSpec = object(bundleSpecFields, 'What to deploy, where and how.', { default: {} })
/** What to deploy, where and how. */
export type BundleSpec = Static<typeof BundleSpec>

const PartitionStatus = object(
  {
    name: text('Name of the partition.'),
    count: integer('Clusters in it.'),
    maxUnavailable: integer('How many of them may be unavailable.'),
    unavailable: integer('How many of them are unavailable.'),
    summary: BundleSummary,
  },
  'State of a partition.',
)
/** State of a partition. */
export type PartitionStatus = Static<typeof PartitionStatus>

const ResourceKey = object(
  { kind: text('Its kind.'), apiVersion: text('Its API version.'), namespace: text('Its namespace.'), name: text('Its name.') },
  'An object.',
)

const BundleStatus = object(
  {
    conditions,
    summary: BundleSummary,
    newlyCreated: integer('Deployments created by the last reconciliation.'),
    unavailable: integer('Deployments that are not ready or not up to date.'),
    unavailablePartitions: integer('Partitions with too many unavailable deployments.'),
    maxUnavailable: integer('Deployments that may be unavailable.'),
    maxUnavailablePartitions: integer('Partitions that may be unavailable.'),
    maxNew: integer('Deployments that may be created at a time.'),
    partitions: list(PartitionStatus, 'State of the rollout, by partition.'),
    display: object(
      { readyClusters: text('Ready and all clusters, as in 3/5.'), state: text('Worst state; empty when all are ready.') },
      'Texts for tables.',
    ),
    resourceKey: list(ResourceKey, 'No longer written.'),
    observedGeneration: int64('The generation that this status is about.'),
    resourcesSha256Sum: text('Hash of the files.'),
    ociReference: text('Where the files are stored, if in a registry.'),
  },
  'State of the rollout.',
)
/** State of the rollout. */
export type BundleStatus = Static<typeof BundleStatus>

export const Bundle = kind({ spec: BundleSpec, status: BundleStatus }, 'What to deploy, where and how.', ['spec'])
/** What to deploy, where and how. */
export type Bundle = Static<typeof Bundle>
