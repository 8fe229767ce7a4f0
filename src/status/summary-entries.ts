import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { deploymentMessage, deploymentState } from '../api/state.ts'
import type { BundleSummary, Condition } from '../api/status.ts'
import { readyMessage, type SummaryEntry } from '../api/summary.ts'
import { setCondition } from '../lib/controller/conditions.ts'

/** A deployment as a line of a summary, under its own name. */
export function summaryEntry(deployment: BundleDeployment): SummaryEntry {
  return {
    name: deployment.metadata.name,
    state: deploymentState(deployment),
    message: deploymentMessage(deployment),
    modifiedStatus: deployment.status?.modifiedStatus,
    nonReadyStatus: deployment.status?.nonReadyStatus,
  }
}

/** The conditions with Ready as the summary has it; `now` in milliseconds. */
export function withReady(conditions: Condition[] | undefined, summary: BundleSummary, now: number): Condition[] {
  const message = readyMessage(summary, 'Bundle')
  return setCondition(conditions, { type: 'Ready', status: message === '' ? 'True' : 'False', message }, now)
}

/** `x/y` as tables show it. */
export function ratio(ready: number | undefined, desired: number | undefined): string {
  return `${ready ?? 0}/${desired ?? 0}`
}

/** Orders objects by a text; equal ones stay as they are. */
export function sortedBy<T>(objects: readonly T[], text: (object: T) => string): T[] {
  return objects
    .map((object) => ({ object, text: text(object) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ object }) => object)
}
