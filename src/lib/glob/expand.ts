// Path patterns against a tree, with the meaning of Go's filepath.Glob.
import { posix } from 'node:path'
import { compareUtf8 } from '../json/utf8.ts'
import { BadPatternError } from './error.ts'
import { compilePathPattern, hasMeta, matchPath } from './path-pattern.ts'

/** The tree that is searched. Paths use `/`; `.` is its root. What leads out of the tree does not exist. */
export interface GlobTree {
  exists(path: string): Promise<boolean>
  /** names of the entries of a folder; undefined when the path is no folder */
  list(path: string): Promise<readonly string[] | undefined>
}

/** So many folders in one pattern are no path of anybody. */
const MAX_PARTS = 100

/**
 * The paths that match, folder by folder in the order of their names. A pattern without special characters is returned as it is written, if it exists.
 * @throws BadPatternError; Error when more than `maxMatches` match
 */
export async function expandPattern(pattern: string, tree: GlobTree, maxMatches: number): Promise<string[]> {
  if (pattern.split('/').length > MAX_PARTS) throw new BadPatternError(pattern, `it has more than ${MAX_PARTS} folders`)
  matchPath(pattern, '')
  if (!hasMeta(pattern)) return pattern !== '' && (await tree.exists(pattern)) ? [pattern] : []
  const slash = pattern.lastIndexOf('/')
  const folder = slash < 0 ? '.' : slash === 0 ? '/' : pattern.slice(0, slash)
  const folders = hasMeta(folder) ? await expandPattern(folder, tree, maxMatches) : [folder]
  const matches: string[] = []
  for (const parent of folders) {
    matches.push(...(await matchesIn(parent, pattern.slice(slash + 1), tree)))
    if (matches.length > maxMatches) throw new Error(`the pattern ${JSON.stringify(pattern)} matches more than ${maxMatches} paths`)
  }
  return matches
}

async function matchesIn(folder: string, pattern: string, tree: GlobTree): Promise<string[]> {
  const matches = compilePathPattern(pattern)
  const names = (await tree.list(folder)) ?? []
  return names
    .filter(matches)
    .sort(compareUtf8)
    .map((name) => posix.join(folder, name))
}
