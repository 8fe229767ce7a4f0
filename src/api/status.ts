// Pieces of status that several kinds share: conditions, counters by state, the resources behind them.
import type { Condition } from '../lib/controller/conditions.ts'
import { flag, integer, list, map, object, type Static, text, texts, typed } from './schema.ts'

export type { Condition }

const ConditionSchema = typed<Condition>(
  object(
    {
      type: text('What the condition is about.'),
      status: text('True, False or Unknown.'),
      lastUpdateTime: text('When status or message last changed.'),
      lastTransitionTime: text('Kept for other writers; not set by Fleet.'),
      reason: text('One word for programs.'),
      message: text('A sentence for people.'),
    },
    'One condition.',
    { title: 'Condition', required: ['type', 'status'] },
  ),
)

/** The `conditions` of a status. */
export const conditions = list(ConditionSchema, 'What is known about the object; one entry a type.')

export const ModifiedStatus = object(
  {
    kind: text('Kind of the object.'),
    apiVersion: text('API version of the object.'),
    namespace: text('Namespace of the object.'),
    name: text('Name of the object.'),
    missing: flag('The object should be there and is not.'),
    exist: flag('The object is there but belongs to somebody else.'),
    delete: flag('The object is there and should not be.'),
    patch: text('Merge patch from the live to the deployed object.'),
  },
  'An object that is not as it was deployed.',
  { title: 'ModifiedStatus' },
)
/** An object that differs from what was deployed. */
export type ModifiedStatus = Static<typeof ModifiedStatus>

export const NonReadyStatus = object(
  {
    uid: text('Uid of the object.'),
    kind: text('Kind of the object.'),
    apiVersion: text('API version of the object.'),
    namespace: text('Namespace of the object.'),
    name: text('Name of the object.'),
    summary: object(
      {
        state: text('State of the object in a word.'),
        error: flag('The object is in error.'),
        transitioning: flag('The object is changing.'),
        message: texts('Why.'),
      },
      'State of the object.',
    ),
  },
  'An object that is not ready.',
  { title: 'NonReadyStatus' },
)
/** An object that is not ready. */
export type NonReadyStatus = Static<typeof NonReadyStatus>

const NonReadyResource = object(
  {
    name: text('Name of the deployment.'),
    bundleState: text('Its state.'),
    message: text('Why it is not ready.'),
    modifiedStatus: list(ModifiedStatus, 'Objects that are not as they were deployed.'),
    nonReadyStatus: list(NonReadyStatus, 'Objects that are not ready.'),
  },
  'A deployment that is not ready.',
  { title: 'NonReadyResource' },
)
/** A deployment that is not ready, with reasons. */
export type NonReadyResource = Static<typeof NonReadyResource>

export const BundleSummary = object(
  {
    notReady: integer('Deployed, with objects that are not ready.'),
    waitApplied: integer('Waiting for the agent to deploy.'),
    errApplied: integer('Failed to deploy.'),
    outOfSync: integer('Not yet seen by the agent.'),
    modified: integer('Deployed, with objects changed since.'),
    ready: integer('Deployed and ready.'),
    pending: integer('Waiting for their turn in the rollout.'),
    desiredReady: integer('All deployments.'),
    nonReadyResources: list(NonReadyResource, 'The first of those that are not ready.'),
  },
  'Deployments by state.',
  { title: 'BundleSummary' },
)
/** Numbers of deployments by state. Absent counters are zero. */
export type BundleSummary = Static<typeof BundleSummary>

export const ResourceCounts = object(
  {
    ready: integer('Objects that are ready.'),
    desiredReady: integer('All objects.'),
    waitApplied: integer('Objects waiting to be deployed.'),
    modified: integer('Objects changed since they were deployed.'),
    orphaned: integer('Objects that should no longer be there.'),
    missing: integer('Objects that should be there.'),
    unknown: integer('Objects of unknown state.'),
    notReady: integer('Objects in any other state.'),
  },
  'Deployed objects by state.',
  { title: 'ResourceCounts' },
)
/** Numbers of deployed objects by state. Absent counters are zero. */
export type ResourceCounts = Static<typeof ResourceCounts>

const clusters = (state: string) => texts(`Clusters where it is ${state}.`)

const Resource = object(
  {
    apiVersion: text('API version of the object.'),
    kind: text('Kind of the object.'),
    type: text('Group and kind in lower case, such as apps.deployment.'),
    id: text('Namespace and name, joined by a slash.'),
    namespace: text('Namespace of the object.'),
    name: text('Name of the object.'),
    incompleteState: flag('Lists were cut, so the state may be of another cluster.'),
    state: text('Worst state over all clusters.'),
    error: flag('It is in error somewhere.'),
    transitioning: flag('It is changing somewhere.'),
    message: text('First of the messages.'),
    perClusterState: object(
      {
        ready: clusters('ready'),
        waitApplied: clusters('waiting to be deployed'),
        pending: clusters('waiting for its turn'),
        modified: clusters('changed'),
        orphaned: clusters('left over'),
        missing: clusters('missing'),
        unknown: clusters('in an unknown state'),
        notReady: clusters('not ready'),
      },
      'Clusters by state, as namespace/name.',
    ),
  },
  'An object that is deployed to some clusters.',
  { title: 'Resource' },
)
/** A deployed object, summed up over clusters. */
export type Resource = Static<typeof Resource>

const StatusDisplay = object(
  {
    readyBundleDeployments: text('Ready and all deployments, as in 3/5.'),
    state: text('Worst state, or what is being done.'),
    message: text('What to know about it.'),
    error: flag('The message is an error.'),
  },
  'Texts for tables.',
)

/** The fields that GitRepo and HelmOp share. */
export const statusBaseFields = {
  readyClusters: integer('The lowest number of ready clusters of any bundle.'),
  desiredReadyClusters: integer('The number of clusters that should be ready.'),
  summary: BundleSummary,
  display: StatusDisplay,
  conditions,
  resources: list(Resource, 'What is deployed.'),
  resourceCounts: ResourceCounts,
  perClusterResourceCounts: map(ResourceCounts, 'Deployed objects by state, by cluster as namespace/name.'),
}

const StatusBase = object(statusBaseFields, 'Status of what makes bundles.')
/** The status that GitRepo and HelmOp share. */
export type StatusBase = Static<typeof StatusBase>
