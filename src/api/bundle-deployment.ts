// BundleDeployment: one version of a bundle for one cluster. The hub writes the spec, the agent of the cluster the status.
import { BundleRef } from './bundle.ts'
import { BundleDeploymentOptions, CorrectDrift, HelmChartOptions } from './bundle-deployment-options.ts'
import { as, flag, int64, kind, list, object, type Static, text, time } from './schema.ts'
import { conditions, ModifiedStatus, NonReadyStatus, ResourceCounts } from './status.ts'

const BundleDeploymentSpec = object(
  {
    paused: flag('The agent leaves the deployment alone.'),
    offSchedule: flag('The agent leaves the deployment alone until its schedule is active.'),
    waitingForValues: flag('The agent waits until the values are there.'),
    stagedOptions: as(BundleDeploymentOptions, 'Options of the next version.'),
    stagedDeploymentID: text('Id of the next version.'),
    options: as(BundleDeploymentOptions, 'Options of the version to deploy.'),
    deploymentID: text('Id of the version to deploy.'),
    dependsOn: list(BundleRef, 'Bundles that must be ready before.'),
    correctDrift: CorrectDrift,
    ociContents: flag('The files are stored in a registry.'),
    helmChartOptions: HelmChartOptions,
    valuesHash: text('Hash of the values.'),
    downstreamResourcesGeneration: int64('Raised whenever copied secrets or config maps change.'),
  },
  'What the agent is to deploy.',
  { default: {} },
)
/** What the agent is to deploy. */
export type BundleDeploymentSpec = Static<typeof BundleDeploymentSpec>

const BundleDeploymentResource = object(
  {
    kind: text('Its kind.'),
    apiVersion: text('Its API version.'),
    namespace: text('Its namespace.'),
    name: text('Its name.'),
    createdAt: time('When it was created.'),
  },
  'A deployed object.',
)
/** A deployed object. */
export type BundleDeploymentResource = Static<typeof BundleDeploymentResource>

const BundleDeploymentStatus = object(
  {
    conditions,
    appliedDeploymentID: text('Id of the version that was deployed last.'),
    release: text('The release as namespace/name:revision.'),
    ready: flag('All objects are ready.'),
    nonModified: flag('All objects are as they were deployed.'),
    nonReadyStatus: list(NonReadyStatus, 'The first objects that are not ready.'),
    modifiedStatus: list(ModifiedStatus, 'The first objects that are not as they were deployed.'),
    incompleteState: flag('One of the lists was cut.'),
    display: object(
      {
        deployed: text('Whether it is deployed.'),
        monitored: text('Whether its objects are watched.'),
        state: text('State in a word.'),
      },
      'Texts for tables.',
    ),
    syncGeneration: int64('The forceSyncGeneration that was deployed last.'),
    resources: list(BundleDeploymentResource, 'What is deployed.'),
    resourceCounts: ResourceCounts,
    downstreamResourcesGeneration: int64('The generation of copies that was deployed last.'),
  },
  'What the agent has deployed.',
)
/** What the agent has deployed. */
export type BundleDeploymentStatus = Static<typeof BundleDeploymentStatus>

export const BundleDeployment = kind(
  { spec: BundleDeploymentSpec, status: BundleDeploymentStatus },
  'One version of a bundle for one cluster. Made by Fleet; not for editing.',
  ['spec'],
)
/** One version of a bundle for one cluster. */
export type BundleDeployment = Static<typeof BundleDeployment>
