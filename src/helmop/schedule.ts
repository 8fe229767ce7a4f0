// When a HelmOp's repository is asked. Pure.
import type { HelmOp } from '../api/helm-op.ts'
import { parseDurationMs } from '../lib/duration/duration.ts'
import { nextPollMs } from '../source/poll-schedule.ts'
import type { WantedChart } from './chart.ts'

/** Shorter intervals are not honoured: a server is not to be flooded. */
const MIN_INTERVAL_MS = 1_000

/** Milliseconds between polls; infinite without polling: an interval that is absent or not positive, or a chart whose version cannot change. */
export function pollingIntervalMs({ spec }: Pick<HelmOp, 'spec'>, { kind }: WantedChart): number {
  const ms = kind === 'range' && spec.pollingInterval ? safeParse(spec.pollingInterval) : 0
  return ms > 0 ? Math.max(ms, MIN_INTERVAL_MS) : Number.POSITIVE_INFINITY
}

/** The API server checks durations; one that slipped through is treated as absent. */
function safeParse(text: string): number {
  try {
    return parseDurationMs(text)
  } catch {
    return 0
  }
}

/** Milliseconds until a question that was asked in vain is asked again: 15 s, doubled each time up to ten minutes, plus up to a tenth. */
export function retryMs(failures: number, random: number): number {
  return nextPollMs({ intervalMs: Number.POSITIVE_INFINITY, failures }, random)
}
