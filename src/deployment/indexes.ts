// Indexes of the caches that this stage adds, and what they are called.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE, BUNDLE_DEPLOYMENT } from '../api/kinds.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL, CONTENT_NAME_LABEL } from '../api/labels.ts'
import type { InformerOptions } from '../lib/kube/informer.ts'
import { sourcesOf } from './requested-copies.ts'

/** BundleDeployments by the key of their Bundle. */
export const BY_BUNDLE = 'deployment/bundle'
/** BundleDeployments by the name of their Content. */
export const BY_CONTENT = 'deployment/content'
/** Bundles by `Kind/namespace/name` of what they have copied. */
export const BY_SOURCE = 'deployment/source'

export const deploymentCache: InformerOptions<BundleDeployment> = {
  type: BUNDLE_DEPLOYMENT,
  indexes: { [BY_BUNDLE]: bundleKeys, [BY_CONTENT]: contentNames },
}

export const bundleCache: InformerOptions<Bundle> = { type: BUNDLE, indexes: { [BY_SOURCE]: sourcesOf } }

/** The key of a deployment's Bundle, by its labels. */
export function bundleKeys({ metadata: { labels } }: BundleDeployment): string[] {
  const [namespace, name] = [labels?.[BUNDLE_NAMESPACE_LABEL], labels?.[BUNDLE_NAME_LABEL]]
  return namespace && name ? [`${namespace}/${name}`] : []
}

function contentNames({ metadata: { labels } }: BundleDeployment): string[] {
  const name = labels?.[CONTENT_NAME_LABEL]
  return name ? [name] : []
}
