// What is to be written back to a repository: a pure function of the GitRepo and its ImageScans (spec 8.9).
import type { GitRepo } from '../api/git-repo.ts'
import type { ImageScan, ImageScanStatus } from '../api/image-scan.ts'
import { getCondition, isConditionTrue } from '../lib/controller/conditions.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { isSame } from '../lib/controller/status.ts'
import { SCANNED } from './scan-status.ts'

export type Plan =
  /** Nobody asks for it. */
  | { readonly kind: 'off' }
  /** Not everything is known yet. */
  | { readonly kind: 'idle' }
  /** Nothing may be written; the message is for the user. */
  | { readonly kind: 'blocked'; readonly error: TerminalError }
  /** These values belong behind these setters. */
  | { readonly kind: 'write'; readonly values: ReadonlyMap<string, string> }

const QUOTED_FAILURES = 5

/**
 * `scans` are all that name the GitRepo. One that has failed stops everything: half an update may be worse than none. One that has yet to look is waited for,
 * so that what belongs together is one commit. Those that are suspended do neither.
 */
export function planWriteBack({ spec }: GitRepo, scans: readonly ImageScan[]): Plan {
  const ours = scans.filter(({ metadata }) => !metadata.deletionTimestamp).sort(byTagName)
  if (!spec.imageScanCommit || ours.length === 0) return { kind: 'off' }
  const active = ours.filter(({ spec }) => !spec.suspend)
  const failed = active.filter(({ status }) => getCondition(status?.conditions, SCANNED)?.status === 'False')
  if (failed.length > 0) return blocked(failures(failed), 'ImageScanFailed')
  if (!active.every(hasLooked)) return { kind: 'idle' }
  const values = new Map<string, string>()
  for (const [tagName, group] of grouped(ours.filter(isKnown))) {
    const [first, ...others] = group
    const other = others.find(({ spec: { image, policy } }) => !isSame([image, policy], [first?.spec.image, first?.spec.policy]))
    if (other)
      return blocked(
        `image scans ${first?.metadata.name} and ${other.metadata.name} want different images under the same tagName ${JSON.stringify(tagName)}: give each its own`,
      )
    for (const [setter, value] of settersOf(tagName, newest(group))) values.set(setter, value)
  }
  if (values.size === 0) return { kind: 'idle' }
  if (spec.revision)
    return blocked('a GitRepo with a revision follows no branch that could be written to: remove revision, or imageScanCommit')
  if (!spec.clientSecretName) return blocked('writing to the repository needs credentials: name a secret that may push in clientSecretName')
  return { kind: 'write', values }
}

/** With the spec that it has now. */
function hasLooked({ metadata, status }: ImageScan): boolean {
  const isObserved = status?.observedGeneration === undefined || status.observedGeneration === metadata.generation
  return isObserved && isConditionTrue(status?.conditions, SCANNED)
}

/** What is suspended counts as it is. */
function isKnown({ spec, status }: ImageScan): boolean {
  return Boolean(spec.tagName && status?.latestTag && status.latestImage && isConditionTrue(status.conditions, SCANNED))
}

function settersOf(tagName: string, { latestImage = '', latestTag = '', latestDigest }: ImageScanStatus): [string, string][] {
  return [
    [tagName, latestImage],
    [`${tagName}:tag`, latestTag],
    [`${tagName}:name`, latestImage.slice(0, -latestTag.length - 1)],
    ...(latestDigest ? [[`${tagName}:digest`, `${latestImage}@${latestDigest}`] as [string, string]] : []),
  ]
}

function grouped(scans: readonly ImageScan[]): Map<string, ImageScan[]> {
  return Map.groupBy(scans, ({ spec }) => spec.tagName ?? '')
}

/** Scans of the same image may have looked at different times. */
function newest(scans: readonly ImageScan[]): ImageScanStatus {
  const timeOf = ({ status }: ImageScan): number => Date.parse(status?.lastScanTime ?? '') || 0
  return scans.reduce((best, scan) => (timeOf(scan) > timeOf(best) ? scan : best)).status ?? {}
}

function byTagName(a: ImageScan, b: ImageScan): number {
  const [left, right] = [a, b].map(({ spec, metadata }) => `${spec.tagName ?? ''}\0${metadata.name}`) as [string, string]
  return left < right ? -1 : left > right ? 1 : 0
}

function failures(scans: readonly ImageScan[]): string {
  const quoted = scans.slice(0, QUOTED_FAILURES).map(({ metadata, spec, status }) => {
    const message = getCondition(status?.conditions, SCANNED)?.message || 'see its status'
    return `image scan ${metadata.name} (tagName ${JSON.stringify(spec.tagName ?? '')}) has failed: ${message}`
  })
  const more = scans.length > QUOTED_FAILURES ? [`and ${scans.length - QUOTED_FAILURES} more`] : []
  return [...quoted, ...more].join('; ')
}

function blocked(message: string, reason = 'Error'): Plan {
  return { kind: 'blocked', error: new TerminalError(message, { reason }) }
}
