// The files of a checkout that have setters: found without following links, so nothing outside of it is ever read.
import { constants } from 'node:fs'
import { open, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { BadPatternError } from '../lib/glob/error.ts'
import { compilePathPattern } from '../lib/glob/path-pattern.ts'
import { YamlError } from '../lib/yaml/error.ts'
import { SETTER_MARK } from './comments.ts'
import { applySetters, type Setting } from './setters.ts'

/** A file whose values differ from what its setters ask for. */
export interface ChangedFile {
  /** relative to the top, with `/` */
  readonly path: string
  readonly text: string
  readonly settings: readonly Setting[]
}

/** Larger files are no manifests, and are passed over. */
const MAX_FILE_BYTES = 8 * 2 ** 20
const YAML_FILE = /\.ya?ml$/

/**
 * Looks through the YAML files below `paths` (folders or files, with wildcards; default: all) and applies setters to them; nothing is written.
 * Throws TerminalError for a path that leads out of the repository and for a file whose setters cannot be applied.
 */
export async function changedFiles(
  root: string,
  paths: readonly string[],
  values: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ChangedFile[]> {
  const isWanted = wantedPaths(paths)
  const top = await realpath(root)
  const changed: ChangedFile[] = []

  async function visit(folder: string, isInside: boolean): Promise<void> {
    signal.throwIfAborted()
    await mustBeInside(top, folder)
    const entries = await readdir(join(top, folder), { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const isIn = isInside || isWanted(path)
      if (entry.isDirectory() && entry.name !== '.git') await visit(path, isIn)
      if (!isIn || !entry.isFile() || !YAML_FILE.test(entry.name)) continue
      await mustBeInside(top, path)
      const file = changedFile(path, await readText(join(top, path)), values)
      if (file) changed.push(file)
    }
  }

  await visit('', isWanted(''))
  return changed
}

function changedFile(path: string, text: string | undefined, values: ReadonlyMap<string, string>): ChangedFile | undefined {
  if (text === undefined) return undefined
  try {
    const { text: after, settings } = applySetters(text, values)
    return settings.length > 0 ? { path, text: after, settings } : undefined
  } catch (error) {
    if (error instanceof TerminalError || error instanceof YamlError) throw new TerminalError(`${path}: ${error.message}`)
    throw error
  }
}

/** Tells of a path whether one of `paths` names it. Leading slashes do not count; an empty path, `.` and no paths at all are the top. */
function wantedPaths(paths: readonly string[]): (path: string) => boolean {
  const tests = (paths.length > 0 ? paths : ['']).map((path) => {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.includes('..')) throw new TerminalError(`paths: ${JSON.stringify(path)} leads out of the repository: correct it`)
    return compilePathPattern(parts.join('/'))
  })
  return (path) => {
    try {
      return tests.some((test) => test(path))
    } catch (error) {
      if (error instanceof BadPatternError) throw new TerminalError(`paths: ${messageOf(error)}`)
      throw error
    }
  }
}

/** There is nothing but what was checked out a moment ago; should somebody have put a link there since, it is not followed. */
async function mustBeInside(top: string, path: string): Promise<void> {
  const expected = path === '' ? top : join(top, path)
  if ((await realpath(expected)) !== expected) throw new TerminalError(`${path} is a link, which is not followed`)
}

/** The text of a file with a setter in it; undefined for others. What is not UTF-8 could not be written back as it was. */
async function readText(path: string): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    if ((await file.stat()).size > MAX_FILE_BYTES) return undefined
    const bytes = await file.readFile()
    if (!bytes.includes(SETTER_MARK)) return undefined
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  } finally {
    await file.close()
  }
}
