// Reads the bundle deployments that were asked for.
import type { BundleDeployment } from '../../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT } from '../../api/kinds.ts'
import { BUNDLE_NAME_LABEL } from '../../api/labels.ts'
import { TerminalError } from '../../lib/controller/errors.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { NAMESPACE_FLAG } from '../flags.ts'

export interface Wanted {
  readonly namespace: string
  readonly bundle?: string | undefined
  readonly bundleDeployment?: string | undefined
}

/**
 * The default namespace means all of them: bundle deployments live in namespaces of clusters (spec 12, 9.1).
 * Throws TerminalError if the one that is asked for by name does not exist, or exists more than once.
 */
export async function findDeployments(client: KubeClient, wanted: Wanted, signal: AbortSignal): Promise<BundleDeployment[]> {
  const { bundle, bundleDeployment } = wanted
  const namespace = wanted.namespace === NAMESPACE_FLAG.default ? undefined : wanted.namespace
  const selector = bundleDeployment
    ? { fieldSelector: `metadata.name=${bundleDeployment}` }
    : { labelSelector: bundle && `${BUNDLE_NAME_LABEL}=${bundle}` }
  const { items } = await client.list<BundleDeployment>(BUNDLE_DEPLOYMENT, { namespace, ...selector, signal })
  if (bundleDeployment && items.length !== 1) throw notUnique(bundleDeployment, namespace, items)
  return items
}

function notUnique(name: string, namespace: string | undefined, found: readonly BundleDeployment[]): TerminalError {
  if (found.length === 0)
    return new TerminalError(`there is no bundle deployment ${name} in ${namespace ? `namespace ${namespace}` : 'any namespace'}`)
  const places = found.map(({ metadata }) => metadata.namespace).join(', ')
  return new TerminalError(`bundle deployment ${name} exists in several namespaces: choose one with --namespace: ${places}`)
}
