import type { Place } from './positions.ts'

/** Something that is wrong with a folder. */
export interface Problem {
  /** relative to where the command was started; empty for what concerns several files */
  readonly file: string
  readonly place?: Place | undefined
  readonly severity: 'error' | 'warning'
  readonly message: string
}

/** `app/fleet.yaml:3:5: error: …`, as editors read it. */
export function formatProblem(
  { file, place, severity, message }: Problem,
  paint: (severity: Problem['severity'], text: string) => string,
): string {
  const where = place ? `${file}:${place.line}:${place.column}: ` : file === '' ? '' : `${file}: `
  return `${where}${paint(severity, `${severity}:`)} ${message}\n`
}

/** By file, then by place, each once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const distinct = [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
  return distinct.sort(
    (a, b) =>
      compare(a.file, b.file) ||
      (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
      (a.place?.column ?? 0) - (b.place?.column ?? 0) ||
      compare(a.message, b.message),
  )
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
