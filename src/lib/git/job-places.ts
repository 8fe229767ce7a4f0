// Who may start while others are under way, so that no server takes the places of all.
import type { GitJob } from './worker-protocol.ts'

/** A job, as far as its place is concerned. */
export interface PlaceSeeker {
  readonly kind: GitJob['kind']
  /** Whom it talks to. */
  readonly host: string
}

/** One that is under way. */
export interface PlaceHolder extends PlaceSeeker {
  readonly ageMs: number
}

interface Places {
  /** That count at a time. */
  readonly count: number
  /** After that a job waits for a server that is slow or gone, and no longer counts: others need not wait for it, too. */
  readonly slowMs: number
  /** With those that do not count. */
  readonly most: number
  /** The last place is for another host than the one that has all others. */
  readonly isShared: boolean
  /** Of one host, with those that do not count. */
  readonly mostOfHost: number
}

/** Questions about refs are short and small; a fetch keeps a whole pack in memory, and so does a push. */
const PLACES: Readonly<Record<GitJob['kind'], Places>> = {
  resolve: { count: 16, slowMs: 2_000, most: 128, isShared: false, mostOfHost: 128 },
  fetch: { count: 4, slowMs: 20_000, most: 8, isShared: true, mostOfHost: 4 },
  push: { count: 2, slowMs: 20_000, most: 4, isShared: false, mostOfHost: 2 },
}

/** When a job no longer counts, in milliseconds from its start. */
export function slowAfterMs(kind: GitJob['kind']): number {
  return PLACES[kind].slowMs
}

/** Whether there is a place for a job beside those that are under way. */
export function hasPlace({ kind, host }: PlaceSeeker, underWay: readonly PlaceHolder[]): boolean {
  const { count, slowMs, most, isShared, mostOfHost } = PLACES[kind]
  const alike = underWay.filter((one) => one.kind === kind)
  const counting = alike.filter(({ ageMs }) => ageMs < slowMs)
  const ofHost = (jobs: readonly PlaceHolder[]): number => jobs.filter((one) => one.host === host).length
  if (alike.length >= most || ofHost(alike) >= mostOfHost || counting.length >= count) return false
  return !isShared || ofHost(counting) < count - 1
}
