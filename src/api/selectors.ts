// Label selectors, and the five ways to say which clusters are meant.
import type { LabelSelector } from '../lib/kube/types.ts'
import { as, list, object, text, textMap, texts, typed } from './schema.ts'

/** `metav1.LabelSelector`: absent selects nothing, empty everything. */
const Selector = typed<LabelSelector>(
  object(
    {
      matchLabels: textMap('Labels that must all be there with these values.'),
      matchExpressions: list(
        object(
          {
            key: text('Label key.'),
            operator: text('In, NotIn, Exists or DoesNotExist.'),
            values: texts('Values for In and NotIn.'),
          },
          'One condition.',
          { required: ['key', 'operator'] },
        ),
        'Conditions that must all hold.',
      ),
    },
    '',
    { title: 'LabelSelector', 'x-kubernetes-map-type': 'atomic' },
  ),
)

/** A label selector with a meaning. */
export function selector(description: string) {
  return as(Selector, description)
}

/** The fields that choose clusters, wherever targets are listed. */
export const targetFields = {
  name: text('Name of the entry, for messages and for the keys of value secrets.'),
  clusterName: text('The cluster of this name.'),
  clusterSelector: selector('Clusters with these labels. An empty selector means every cluster.'),
  clusterGroup: text('The clusters of the group of this name.'),
  clusterGroupSelector: selector('The clusters of all groups with these labels.'),
}

/** Clusters, chosen in one or several of the five ways. */
export function clusterTarget(description: string) {
  return object(targetFields, description, { title: 'ClusterTarget' })
}
