// The reports that are put together from several parts.
import { TerminalError } from '../../lib/controller/errors.ts'
import type { Snapshot } from '../monitor/snapshot.ts'
import { changes } from './changes.ts'
import { details } from './details.ts'
import { issues } from './issues.ts'
import { heading, type Paint, plain, rule } from './layout.ts'
import { timeOf } from './read-snapshots.ts'
import { summary } from './summary.ts'

/** A file of snapshots. */
export interface SnapshotFile {
  readonly name: string
  /** in order of time */
  readonly snapshots: readonly Snapshot[]
}

/** The last one; there always is one. */
export function newestOf(snapshots: readonly Snapshot[]): Snapshot {
  const newest = snapshots.at(-1)
  if (!newest) throw new TerminalError('no snapshots found')
  return newest
}

/** The summaries of all snapshots. */
export function allSummaries(snapshots: readonly Snapshot[], paint: Paint): string[] {
  return [
    ...heading(paint, `Analyzing ${snapshots.length} snapshots`),
    ...snapshots.flatMap((snapshot, index) => [
      '',
      paint('cyan', `ℹ Snapshot ${index + 1}/${snapshots.length}`),
      ...summary(snapshot, paint),
      rule(),
    ]),
  ]
}

/** What changed from snapshot to snapshot, and the summary of the newest. Throws TerminalError if there is nothing to compare. */
export function allChanges(snapshots: readonly Snapshot[], paint: Paint): string[] {
  if (snapshots.length < 2) throw new TerminalError('need at least 2 snapshots to show what changed: take another with fleet monitor')
  const steps = snapshots.slice(1).flatMap((after, index) => {
    const before = snapshots[index] ?? after
    return [
      '',
      paint('bold', `Snapshot ${index + 1} → ${index + 2}`),
      `Time: ${plain(before.timestamp)} → ${plain(after.timestamp)}`,
      ...changes(before, after, paint),
      rule(),
    ]
  })
  return [
    ...heading(paint, `Changes Across ${snapshots.length} Snapshots`),
    ...steps,
    ...heading(paint, 'Final Snapshot Summary'),
    ...summary(newestOf(snapshots), paint),
  ]
}

/** What changed between the newest snapshots of two files; the older one comes first. */
export function comparison(one: SnapshotFile, other: SnapshotFile, paint: Paint): string[] {
  const [before, after] = [one, other]
    .map(({ name, snapshots }) => ({ name, snapshot: newestOf(snapshots) }))
    .sort((a, b) => timeOf(a.snapshot) - timeOf(b.snapshot))
  if (!before || !after) return []
  return [
    ...heading(paint, 'COMPARING SNAPSHOTS'),
    `Before: ${before.name} (${plain(before.snapshot.timestamp)})`,
    `After:  ${after.name} (${plain(after.snapshot.timestamp)})`,
    ...changes(before.snapshot, after.snapshot, paint),
  ]
}

/** All that is known of one snapshot. */
export function detailed(snapshot: Snapshot, paint: Paint): string[] {
  return [...summary(snapshot, paint), ...issues(snapshot, paint), ...details(snapshot, paint)]
}
