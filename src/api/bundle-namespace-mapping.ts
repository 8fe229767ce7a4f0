// BundleNamespaceMapping: lets bundles of its namespace reach clusters of other namespaces.
import { kind, type Static } from './schema.ts'
import { selector } from './selectors.ts'

export const BundleNamespaceMapping = kind(
  {
    bundleSelector: selector('Bundles beside the mapping that it is for.'),
    namespaceSelector: selector('Namespaces whose clusters these bundles may be deployed to.'),
  },
  'Lets bundles reach clusters of other namespaces.',
)
/** Lets bundles reach clusters of other namespaces. */
export type BundleNamespaceMapping = Static<typeof BundleNamespaceMapping>
