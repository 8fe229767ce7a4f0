// .helmignore: which files of a folder do not become part of a chart, by the rules of helm.
import { TerminalError } from '../controller/errors.ts'
import { BadPatternError } from '../glob/error.ts'
import { compilePathPattern } from '../glob/path-pattern.ts'

/** Whether a path (relative to the chart) is left out; what lies in a folder that is left out is never asked for. */
export type HelmIgnore = (path: string, isFolder: boolean) => boolean

interface Rule {
  readonly negated: boolean
  readonly foldersOnly: boolean
  readonly matches: (path: string) => boolean
}

const DEFAULT = 'templates/.?*'

/** @param where path of the file for messages. Throws TerminalError for a pattern that cannot be read. */
export function parseHelmIgnore(text: string, where: string): HelmIgnore {
  const lines = text.split('\n').map((line) => line.trim())
  const rules = [...lines.filter((line) => line !== '' && !line.startsWith('#')), DEFAULT].map((line) => parseRule(line, where))
  return (path, isFolder) => {
    for (const { negated, foldersOnly, matches } of rules) {
      const fits = !(foldersOnly && !isFolder) && matches(path)
      if (fits !== negated) return true // a negated rule leaves out whatever does not fit
    }
    return false
  }
}

function parseRule(line: string, where: string): Rule {
  if (line.includes('**')) throw new TerminalError(`${where}: ${line}: two stars are not supported by helm: write the folders out`)
  const negated = line.startsWith('!')
  const foldersOnly = line.endsWith('/')
  const pattern = line.slice(negated ? 1 : 0, foldersOnly ? -1 : undefined)
  try {
    const test = compilePathPattern(pattern.replace(/^\//, ''))
    test('abc') // most mistakes show here
    const matches = (path: string): boolean => matchesOrMistaken(test, pattern.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1))
    return { negated, foldersOnly, matches }
  } catch (error) {
    if (!(error instanceof BadPatternError)) throw error
    throw new TerminalError(`${where}: ${error.message}`)
  }
}

/** A mistake that only some paths bring to light lets helm pass over the rule for them. */
function matchesOrMistaken(test: (path: string) => boolean, path: string): boolean {
  try {
    return test(path)
  } catch (error) {
    if (!(error instanceof BadPatternError)) throw error
    return false
  }
}
