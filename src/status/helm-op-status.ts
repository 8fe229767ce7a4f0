// What a HelmOp says about its bundle on the clusters; finding chart versions is told by others.
import type { Controller } from '../lib/controller/controller.ts'
import { keyOf } from '../lib/controller/keys.ts'
import { BY_HELM_OP, helmOpKey } from './informers.ts'
import { foldMaker, followMakers, MAKER_FIELDS } from './maker-status.ts'
import { createRollUp, type StatusControllerDeps, USUAL_PACE } from './roll-up.ts'

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
      const status = foldMaker(helmOp.status?.conditions, bundles.by(BY_HELM_OP, key), bundleDeployments.by(BY_HELM_OP, key), now)
      // A HelmOp leaves the number out where a GitRepo shows 0 (spec 12, 8.7).
      return { status: { ...status, readyClusters: status.readyClusters || undefined } }
    },
  })
  followMakers(rollUp, deps.informers, helmOpKey)
  return rollUp.controller
}
