// What a HelmOp says about its bundle on the clusters; finding chart versions is told by others.
import type { Bundle } from '../api/bundle.ts'
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { deploymentState } from '../api/state.ts'
import type { StatusBase } from '../api/status.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { Controller } from '../lib/controller/controller.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { BY_HELM_OP, helmOpKey } from './informers.ts'
import { foldMaker, followMakers, MAKER_FIELDS } from './maker-status.ts'
import { createRollUp, type StatusControllerDeps, USUAL_PACE } from './roll-up.ts'

/**
 * As every maker of bundles, but for two things: the number of ready clusters is left out where a GitRepo shows 0 (spec 12, 8.7), and Ready names the bundle
 * with the states of its deployments. The bundle speaks for itself where it has an error, or where they have nothing to say: some may yet have to be made.
 */
export function foldHelmOp(
  helmOp: HelmOp,
  bundles: readonly Bundle[],
  deployments: readonly BundleDeployment[],
  now: number,
): Partial<StatusBase> {
  const areReady = deployments.every((deployment) => deploymentState(deployment) === 'Ready')
  const speaking = areReady ? bundles : bundles.filter(hasError)
  const status = foldMaker(helmOp.status?.conditions, speaking, deployments, now)
  return { ...status, readyClusters: status.readyClusters || undefined }
}

function hasError({ status }: Bundle): boolean {
  return Boolean(getCondition(status?.conditions, 'Ready')?.reason)
}

/** Keeps the sums in `HelmOp.status` up to date. */
export function createHelmOpStatusController(deps: StatusControllerDeps): Controller {
  const { bundles, bundleDeployments, helmOps } = deps.informers
  const rollUp = createRollUp(deps, {
    name: 'helmop-status',
    informer: helmOps,
    owned: MAKER_FIELDS,
    pace: USUAL_PACE,
    fold(helmOp, now) {
      const key = keyOf(helmOp)
      return { status: foldHelmOp(helmOp, bundles.by(BY_HELM_OP, key), bundleDeployments.by(BY_HELM_OP, key), now) }
    },
  })
  followMakers(rollUp, deps.informers, helmOpKey)
  return rollUp.controller
}
