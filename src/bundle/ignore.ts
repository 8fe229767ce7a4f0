// .fleetignore: names of files and folders that do not belong to a bundle (spec 6.3, 12).
import { matchPath } from '../lib/glob/path-pattern.ts'

/** The patterns that hold in a folder, those of the folders above included. */
export type IgnoreRules = readonly string[]

/** The patterns of a file: comments and blank lines are skipped, blanks at the end do not count unless escaped. */
export function parseIgnoreFile(text: string): string[] {
  return text
    .split('\n')
    .map((line) => trimEnd(line.replace(/\r$/, '')))
    .filter((line) => line !== '' && !line.startsWith('#'))
}

function trimEnd(line: string): string {
  const blanks = /[ \t]+$/.exec(line)
  if (!blanks) return line
  const kept = line.slice(0, blanks.index)
  const isEscaped = (/\\*$/.exec(kept)?.[0].length ?? 0) % 2 === 1
  return isEscaped ? kept + blanks[0].charAt(0) : kept
}

/**
 * Whether an entry is left out. `name/*` leaves out folders of that name; all other patterns are matched against the name of the entry alone,
 * so that a pattern with a path matches nothing.
 * @throws BadPatternError
 */
export function isIgnored(name: string, isFolder: boolean, rules: IgnoreRules): boolean {
  return rules.some((pattern) =>
    pattern.endsWith('/*') && !pattern.slice(0, -2).includes('/') ? isFolder && pattern === `${name}/*` : matchPath(pattern, name),
  )
}
