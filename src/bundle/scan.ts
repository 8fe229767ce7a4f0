// Which folders become bundles (spec 6.2, 12).
import { posix } from 'node:path'
import { TerminalError } from '../lib/controller/errors.ts'
import { BadPatternError } from '../lib/glob/error.ts'
import { expandPattern, type GlobTree } from '../lib/glob/expand.ts'
import type { ReadOptions } from './draft.ts'
import type { ReadLimits } from './limits.ts'
import { isHidden } from './load.ts'
import { cleanPath, type Entry, type RepoTree } from './repo-tree.ts'

/** A folder to make a bundle of. */
export interface BundleFolder {
  readonly folder: string
  /** the file with its options, relative to the folder; undefined means fleet.yaml or fleet.yml, if there is one */
  readonly optionsFile: string | undefined
}

const OPTION_NAMES = ['fleet.yaml', 'fleet.yml']

/** The name of the options file of a folder: fleet.yaml before fleet.yml. */
export async function fleetFileIn(tree: RepoTree, folder: string): Promise<string | undefined> {
  const entries = (await tree.list(folder)) ?? []
  return OPTION_NAMES.find((name) => entries.some((entry) => entry.name === name))
}

/** The folders in the order of the paths and, below each, of their names. Paths that do not exist contribute nothing. */
export async function findBundleFolders(tree: RepoTree, options: ReadOptions, limits: ReadLimits): Promise<BundleFolder[]> {
  const found = options.bundles?.length ? await listedFolders(tree, options.bundles) : await searchedFolders(tree, options, limits)
  if (found.length > limits.bundles)
    throw new TerminalError(`${found.length} bundles in one repository, ${limits.bundles} are the most: split the paths`)
  return found
}

/** What was looked for, for messages. */
export function searchedPaths(options: ReadOptions): string[] {
  if (options.bundles?.length)
    return options.bundles.map(({ base, options: file }) => [base || '.', file ?? ''].filter((part) => part !== '').join(':'))
  return options.paths?.length ? [...options.paths] : ['.']
}

async function listedFolders(tree: RepoTree, bundles: NonNullable<ReadOptions['bundles']>): Promise<BundleFolder[]> {
  const folders: BundleFolder[] = []
  for (const [index, { base, options }] of bundles.entries()) {
    const folder = cleanPath(withoutRoot(base ?? '') || '.')
    if (folder === undefined) throw new TerminalError(`bundles[${index}]: the folder ${base} is outside of the repository`)
    if ((await tree.kind(folder)) !== 'folder') throw new TerminalError(`bundles[${index}]: there is no folder ${base} in the repository`)
    folders.push({ folder, optionsFile: options || undefined })
  }
  return folders
}

async function searchedFolders(tree: RepoTree, options: ReadOptions, limits: ReadLimits): Promise<BundleFolder[]> {
  const folders: BundleFolder[] = []
  const budget = { folders: limits.folders }
  for (const path of options.paths?.length ? options.paths : ['.']) {
    for (const base of await matchingFolders(tree, path, limits)) {
      const root = await walk(tree, base, limits, budget, 0)
      const found = root.hasFleetFile || !root.hasManifests || isHidden(posix.basename(base)) ? root.bundles : [base, ...root.bundles]
      folders.push(...found.map((folder) => ({ folder, optionsFile: options.bundleFile })))
    }
  }
  return folders
}

/** Of `/` nothing is left, and that matches nothing. */
function withoutRoot(path: string): string {
  return path.replace(/^\/+/, '')
}

async function matchingFolders(tree: RepoTree, path: string, limits: ReadLimits): Promise<string[]> {
  const pattern = withoutRoot(path)
  if (cleanPath(pattern) === undefined) throw new TerminalError(`the path ${path} leads out of the repository`)
  const folders: string[] = []
  for (const match of await expand(tree, pattern, limits)) {
    const folder = cleanPath(match)
    if (folder !== undefined && (await tree.kind(folder)) === 'folder') folders.push(folder)
  }
  return folders
}

async function expand(tree: RepoTree, pattern: string, limits: ReadLimits): Promise<string[]> {
  const view: GlobTree = {
    exists: async (path) => (await tree.kind(path)) !== undefined,
    list: async (path) => (await tree.list(path))?.map((entry) => entry.name),
  }
  try {
    return await expandPattern(pattern, view, limits.matches)
  } catch (error) {
    if (error instanceof BadPatternError) throw new TerminalError(`paths: ${error.message}`)
    throw error
  }
}

interface Walked {
  readonly hasFleetFile: boolean
  /** a manifest in the folder, or below it in folders without options file */
  readonly hasManifests: boolean
  /** folders with an options file, this one first */
  readonly bundles: string[]
}

async function walk(tree: RepoTree, folder: string, limits: ReadLimits, budget: { folders: number }, depth: number): Promise<Walked> {
  if (depth > limits.depth) throw new TerminalError(`${folder}: folders nest deeper than ${limits.depth} levels`)
  if (--budget.folders < 0) throw new TerminalError(`more than ${limits.folders} folders below the paths: name only those that are needed`)
  const entries = (await tree.list(folder)) ?? []
  const hasFleetFile = entries.some((entry) => OPTION_NAMES.includes(entry.name))
  const bundles = hasFleetFile && !isHidden(posix.basename(folder)) ? [folder] : []
  let hasManifests = entries.some(isManifest)
  for (const entry of entries) {
    if (entry.kind !== 'folder' || entry.name === '.git') continue
    const below = await walk(tree, posix.join(folder, entry.name), limits, budget, depth + 1)
    bundles.push(...below.bundles)
    hasManifests ||= below.hasManifests && !below.hasFleetFile
  }
  return { hasFleetFile, hasManifests, bundles }
}

function isManifest(entry: Entry): boolean {
  return entry.kind !== 'folder' && /\.ya?ml$/.test(entry.name)
}
