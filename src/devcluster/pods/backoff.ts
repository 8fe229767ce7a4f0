// When a container that ended is started again, by the kubelet's rules. Pure.
import type { RestartPolicy } from './types.ts'

/** Delays of restarts in milliseconds; the kubelet's own are 10 s and 5 min. */
export interface RestartDelays {
  readonly baseMs: number
  readonly maxMs: number
}

/** True when a container with this policy runs again after this exit code. */
export function shouldRestart(policy: RestartPolicy, exitCode: number): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** How often a container has ended in quick succession, this end included: one that ran for longer than twice the longest delay starts anew. */
export function countQuickEnds(before: number, ranMs: number, delays: RestartDelays): number {
  return ranMs > 2 * delays.maxMs ? 1 : before + 1
}

/** The wait before the next start: none after the first end, then the base, doubled with each further one up to the maximum. */
export function restartDelay(quickEnds: number, { baseMs, maxMs }: RestartDelays): number {
  if (quickEnds <= 1) return 0
  // 2^30 times any base is beyond every maximum.
  return Math.min(baseMs * 2 ** Math.min(quickEnds - 2, 30), maxMs)
}
