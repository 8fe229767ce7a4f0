// Only what is wrong in a snapshot.
import type { Snapshot } from '../monitor/snapshot.ts'
import { type IssueSection, issueSections } from './issue-sections.ts'
import { heading, type Paint, plain } from './layout.ts'

/** Everything that has a trouble, by kind of trouble, with details; or that there is none. */
export function issues(snapshot: Snapshot, paint: Paint): string[] {
  const title = heading(paint, `ISSUES DETECTED - ${plain(snapshot.timestamp)}`)
  const sections = issueSections(snapshot).filter((section) => section.issues.length > 0)
  if (sections.length > 0)
    return [...title, ...sections.flatMap((section, index) => [...(index > 0 ? [''] : []), ...lines(section, paint)])]
  return [...title, paint('green', snapshot.diagnostics ? '✓ No issues detected!' : '✓ No issues: the snapshot has no diagnostics')]
}

function lines({ title, isError, issues: cases }: IssueSection, paint: Paint): string[] {
  const text = `${title} (${cases.length})`
  return [
    isError ? paint('red', `✗ ${text}`) : paint('yellow', `⚠ ${text}`),
    ...cases.flatMap((one) => [`  • ${plain(one.text)}`, ...one.details.map((detail) => `    ${plain(detail)}`)]),
  ]
}
