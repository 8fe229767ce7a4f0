// The files of one folder: what is hidden, ignored, linked, and how much of it there may be (spec 6.3).
import { posix } from 'node:path'
import { TerminalError } from '../lib/controller/errors.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { BadPatternError } from '../lib/glob/error.ts'
import { compareUtf8 } from '../lib/json/utf8.ts'
import { checkPatterns, IGNORE_FILE, type IgnoreRules, isIgnored, parseIgnoreFile } from './ignore.ts'
import type { ReadLimits } from './limits.ts'
import type { Entry, RepoTree } from './repo-tree.ts'

/** A file of a bundle; `name` is its path below the folder of the bundle. */
export interface LoadedFile {
  readonly name: string
  readonly content: Buffer
}

const READS_AT_A_TIME = 16

/**
 * All files below a folder, nested bundles included, by name. Hidden and ignored ones are left out, as are those whose path is in `excluded`.
 * @throws TerminalError for links that leave the folder, bad patterns, and more than the limits allow
 */
export async function loadFolder(tree: RepoTree, folder: string, excluded: ReadonlySet<string>, limits: ReadLimits): Promise<LoadedFile[]> {
  if (isHidden(posix.basename(folder))) return []
  const names = await findFiles(tree, folder, limits)
  const wanted = names.filter((name) => !excluded.has(name)).sort(compareUtf8)
  if (wanted.length > limits.files)
    throw new TerminalError(`${folder}: more than ${limits.files} files: name those that are not needed in ${IGNORE_FILE}`)
  let left = limits.bundleBytes
  return inParallel(wanted, READS_AT_A_TIME, async (name) => {
    const content = await tree.read(posix.join(folder, name), limits.bundleBytes, folder)
    left -= content.length
    if (left < 0)
      throw new TerminalError(`${folder}: more than ${limits.bundleBytes} bytes: name the files that are not needed in ${IGNORE_FILE}`)
    return { name, content }
  })
}

/** Whether the ignore files between the folder and a path below it leave that path out. Throws TerminalError for bad patterns. */
export async function isLeftOut(tree: RepoTree, folder: string, name: string, limits: ReadLimits): Promise<boolean> {
  const parts = name.split('/')
  const rules: string[] = []
  for (const [index, part] of parts.entries()) {
    const parent = posix.join(folder, ...parts.slice(0, index))
    rules.push(...(await ignoreRules(tree, parent, (await tree.list(parent)) ?? [], limits)))
    if (isIgnored(part, index < parts.length - 1, rules)) return true
  }
  return false
}

export function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.' && name !== '..'
}

/** Paths of the files below the folder, relative to it. */
async function findFiles(tree: RepoTree, root: string, limits: ReadLimits): Promise<string[]> {
  const files: string[] = []
  const open: { path: string; rules: IgnoreRules; depth: number }[] = [{ path: '.', rules: [], depth: 0 }]
  let folders = 0
  for (let at = open.pop(); at; at = open.pop()) {
    const { path, rules: inherited, depth } = at
    if (depth > limits.depth) throw new TerminalError(`${posix.join(root, path)}: folders nest deeper than ${limits.depth} levels`)
    if (++folders > limits.folders) throw new TerminalError(`${root}: more than ${limits.folders} folders`)
    const entries = (await tree.list(posix.join(root, path))) ?? []
    const rules = [...inherited, ...(await ignoreRules(tree, posix.join(root, path), entries, limits))]
    for (const { name, kind } of entries) {
      if (isHidden(name) || isIgnored(name, kind === 'folder', rules)) continue
      const below = posix.join(path, name)
      if (kind === 'folder') open.push({ path: below, rules, depth: depth + 1 })
      else files.push(below)
    }
    // the sort and the check of the wanted files come later; this keeps a folder of millions from filling the memory
    if (files.length > limits.files * 2)
      throw new TerminalError(`${root}: more than ${limits.files} files: name those that are not needed in ${IGNORE_FILE}`)
  }
  return files
}

async function ignoreRules(tree: RepoTree, folder: string, entries: readonly Entry[], limits: ReadLimits): Promise<string[]> {
  if (!entries.some((entry) => entry.name === IGNORE_FILE && entry.kind !== 'folder')) return []
  const file = posix.join(folder, IGNORE_FILE)
  const rules = parseIgnoreFile(await tree.readText(file, limits.optionBytes))
  try {
    checkPatterns(rules)
    return rules
  } catch (error) {
    if (!(error instanceof BadPatternError)) throw error
    throw new TerminalError(`${file}: ${error.message}`)
  }
}
