// When a HelmOp's repository is asked. Pure.
import type { HelmOp } from '../api/helm-op.ts'
import { intervalMs } from '../lib/duration/duration.ts'
import { nextPollMs } from '../source/poll-schedule.ts'
import type { WantedChart } from './chart.ts'

/** Milliseconds between polls; infinite without polling: an interval that is absent or not positive, or a chart whose version cannot change. */
export function pollingIntervalMs({ spec }: Pick<HelmOp, 'spec'>, { kind }: WantedChart): number {
  return intervalMs(kind === 'range' ? spec.pollingInterval : undefined, Number.POSITIVE_INFINITY)
}

/** Milliseconds until a question that was asked in vain is asked again: 15 s, doubled each time up to ten minutes, plus up to a tenth. */
export function retryMs(failures: number, random: number): number {
  return nextPollMs({ intervalMs: Number.POSITIVE_INFINITY, failures }, random)
}
