// ClusterGroup: clusters with certain labels, by one name.
import { integer, kind, object, type Static, text, texts } from './schema.ts'
import { selector } from './selectors.ts'
import { BundleSummary, conditions, ResourceCounts } from './status.ts'

const ClusterGroupSpec = object({ selector: selector('Clusters of the group; absent means none.') }, 'Which clusters belong to it.', {
  default: {},
})

const ClusterGroupStatus = object(
  {
    clusterCount: integer('Clusters in the group.'),
    nonReadyClusterCount: integer('How many of them are not ready.'),
    nonReadyClusters: texts('The first of them.'),
    conditions,
    summary: BundleSummary,
    display: object(
      {
        readyClusters: text('Ready and all clusters, as in 3/5.'),
        readyBundles: text('Ready and all deployments, as in 3/5.'),
        state: text('Worst state.'),
      },
      'Texts for tables.',
    ),
    resourceCounts: ResourceCounts,
  },
  'State of the clusters.',
)
/** State of the clusters of a group. */
export type ClusterGroupStatus = Static<typeof ClusterGroupStatus>

export const ClusterGroup = kind({ spec: ClusterGroupSpec, status: ClusterGroupStatus }, 'Clusters with certain labels, by one name.', [
  'spec',
])
/** Clusters with certain labels, by one name. */
export type ClusterGroup = Static<typeof ClusterGroup>
