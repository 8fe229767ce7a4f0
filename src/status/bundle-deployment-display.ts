// BundleDeployment.status.display: the columns of a table. The rest of that status belongs to the agent (spec 2.6).
import type { BundleDeployment, BundleDeploymentStatus } from '../api/bundle-deployment.ts'
import { deploymentState } from '../api/state.ts'
import type { Condition } from '../api/status.ts'
import { getCondition } from '../lib/controller/conditions.ts'
import type { Controller } from '../lib/controller/controller.ts'
import { createRollUp, type StatusControllerDeps } from './roll-up.ts'

/** Each event is looked at by itself, there is nothing to sum up. */
const PACE = { quietMs: 0, maxWaitMs: 0, idleMs: 0 }

/** An agent often deploys within this time; a state that passes so quickly is not worth a write. */
const WAITING_MS = 2_000

/** The display by spec and conditions: the status of Deployed and Monitored, or their error, and the state. */
export function deploymentDisplay(deployment: BundleDeployment): NonNullable<BundleDeploymentStatus['display']> {
  const deployed = conditionText(getCondition(deployment.status?.conditions, 'Deployed'))
  const monitored = conditionText(getCondition(deployment.status?.conditions, 'Monitored'))
  return { ...(deployed ? { deployed } : {}), ...(monitored ? { monitored } : {}), state: deploymentState(deployment) }
}

function conditionText(condition: Condition | undefined): string | undefined {
  return condition?.reason === 'Error' ? `Error: ${condition.message ?? ''}` : condition?.status
}

/** Keeps `status.display` of BundleDeployments up to date, on events of spec and status alike. */
export function createBundleDeploymentDisplayController(deps: StatusControllerDeps): Controller {
  const { controller } = createRollUp(deps, {
    name: 'bundledeployment-display',
    informer: deps.informers.bundleDeployments,
    owned: ['display'],
    pace: PACE,
    fold(deployment) {
      const display = deploymentDisplay(deployment)
      return { status: { display }, minAgeMs: display.state === 'WaitApplied' ? WAITING_MS : 0 }
    },
  })
  return controller
}
