// What a deployment waits for before it is deployed (spec 5.7).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_NAME_LABEL, BUNDLE_NAMESPACE_LABEL } from '../api/labels.ts'
import { type BundleState, deploymentState } from '../api/state.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { compileSelector, formatSelector } from '../lib/kube/selectors.ts'
import type { LabelSelector } from '../lib/kube/types.ts'

/** Dependencies are looked at again when one of them changes; this is for the case that such an event was lost. */
const RETRY_MS = 15_000

/** Throws `WaitingError` that names the bundles which do not exist or are not in a state that is accepted. `all` are the deployments of this cluster. */
export function checkDependencies({ metadata, spec }: BundleDeployment, all: readonly BundleDeployment[]): void {
  const workspace = metadata.labels?.[BUNDLE_NAMESPACE_LABEL] ?? ''
  const pending: string[] = []
  for (const { name, selector, acceptedStates } of spec.dependsOn ?? []) {
    if (!name && !selector) continue
    const wanted = selectorOf(name, selector, workspace)
    const matches = compileSelector(wanted)
    const found = all.filter((deployment) => matches(deployment.metadata.labels))
    if (found.length === 0)
      throw waiting(`list bundledeployments: no bundles matching labels ${formatSelector(wanted)} in namespace ${workspace}`)
    pending.push(...found.filter((deployment) => !isAccepted(deployment, acceptedStates)).map((deployment) => deployment.metadata.name))
  }
  if (pending.length > 0) throw waiting(`dependent bundle(s) are not ready: [${pending.join(' ')}]`)
}

/** The name of a bundle is short for the labels that its deployments carry. */
function selectorOf(name: string | undefined, selector: LabelSelector | null | undefined, workspace: string): LabelSelector {
  const byName = name ? { [BUNDLE_NAME_LABEL]: name, [BUNDLE_NAMESPACE_LABEL]: workspace } : {}
  return { ...selector, matchLabels: { ...selector?.matchLabels, ...byName } }
}

function isAccepted(deployment: BundleDeployment, states: readonly string[] | null | undefined): boolean {
  const state: BundleState = deploymentState(deployment)
  return states?.length ? states.includes(state) : state === 'Ready'
}

function waiting(message: string): WaitingError {
  return new WaitingError(message, { reason: 'WaitingForDependency', retryAfterMs: RETRY_MS })
}
