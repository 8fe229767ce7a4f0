// The status of an ImageScan: a pure function of what was found.
import type { ImageScan, ImageScanStatus } from '../api/image-scan.ts'
import type { Condition } from '../api/status.ts'
import {
  type ConditionUpdate,
  errorCondition,
  formatTime,
  getCondition,
  isConditionTrue,
  setCondition,
  trueCondition,
} from '../lib/controller/conditions.ts'
import { messageOf, reasonOf } from '../lib/controller/errors.ts'
import { isSame } from '../lib/controller/status.ts'

export const SCANNED = 'ImageScanned'

/** What a scan came to. */
export type Finding =
  | { readonly canonical: string; readonly tag: string; readonly digest: string; readonly at: number }
  | { readonly canonical?: string; readonly error: unknown }

/** The status after a finding. An error keeps what was found before. `lastScanTime` alone is no news, unless it is due to be recorded. */
export function nextScanStatus({ metadata, status = {} }: ImageScan, finding: Finding, isRecordDue: boolean, now: number): ImageScanStatus {
  const next: ImageScanStatus = {
    ...status,
    ...(finding.canonical === undefined ? {} : { canonicalImageName: finding.canonical }),
    observedGeneration: metadata.generation,
    conditions: updatesOf(status, finding).reduce<Condition[]>((list, update) => setCondition(list, update, now), status.conditions ?? []),
  }
  if ('error' in finding) return next
  next.latestTag = finding.tag
  next.latestImage = `${finding.canonical}:${finding.tag}`
  next.latestDigest = finding.digest
  if (isRecordDue || !status.lastScanTime || !isSame(next, status)) next.lastScanTime = formatTime(finding.at)
  return next
}

function updatesOf({ conditions }: ImageScanStatus, finding: Finding): ConditionUpdate[] {
  if ('error' in finding) {
    const { error } = finding
    return [
      errorCondition(SCANNED, error),
      { type: 'Reconciling', status: 'False' },
      { ...trueCondition('Stalled'), reason: reasonOf(error), message: messageOf(error) },
    ]
  }
  const isStalled = getCondition(conditions, 'Stalled') !== undefined
  return [trueCondition(SCANNED), ...(isStalled ? [{ type: 'Stalled', status: 'False' } as const] : [])]
}

/** When what the status says will be too old, in milliseconds; undefined if it does not count at all. A restart is no reason to ask everything anew. */
export function goodUntil({ metadata, status = {} }: ImageScan, intervalMs: number): number | undefined {
  const isGood = isConditionTrue(status.conditions, SCANNED) && status.observedGeneration === metadata.generation && status.latestTag
  const scanned = Date.parse(status.lastScanTime ?? '')
  return isGood && !Number.isNaN(scanned) ? scanned + intervalMs : undefined
}
