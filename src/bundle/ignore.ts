// .fleetignore: names of files and folders that do not belong to a bundle (spec 6.3, 12).
import { posix } from 'node:path'
import { matchPath } from '../lib/glob/path-pattern.ts'

/** The name of the file that says what is left out. */
export const IGNORE_FILE = '.fleetignore'

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
  return rules.some((pattern) => (isFolderPattern(pattern) ? isFolder && pattern === `${name}/*` : matchPath(pattern, name)))
}

/**
 * Checks patterns before anything is compared with them: a broken one is an error even where nothing else lies.
 * @throws BadPatternError
 */
export function checkPatterns(rules: IgnoreRules): void {
  for (const pattern of rules) if (!isFolderPattern(pattern)) matchPath(pattern, '')
}

function isFolderPattern(pattern: string): boolean {
  return /.\/\*/.test(pattern)
}

/** Files of a downloaded chart without those that a .fleetignore among them leaves out. Throws BadPatternError. */
export function withoutIgnored<T extends { readonly name: string; readonly content: Buffer }>(files: readonly T[]): T[] {
  const own = files.filter(({ name }) => posix.basename(name) === IGNORE_FILE)
  if (own.length === 0) return [...files]
  const byFolder = new Map(own.map(({ name, content }) => [posix.dirname(name), parseIgnoreFile(content.toString('utf8'))]))
  for (const rules of byFolder.values()) checkPatterns(rules)
  return files.filter(({ name }) => !isPathIgnored(name.split('/'), byFolder))
}

function isPathIgnored(parts: readonly string[], byFolder: ReadonlyMap<string, IgnoreRules>): boolean {
  const rules: string[] = []
  return parts.some((part, index) => {
    rules.push(...(byFolder.get(parts.slice(0, index).join('/') || '.') ?? []))
    return isIgnored(part, index < parts.length - 1, rules)
  })
}
