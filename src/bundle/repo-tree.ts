// The only way from this stage to the disk: paths are resolved with all their links, and what ends outside of the repository is refused.
import { isUtf8 } from 'node:buffer'
import { lstat, open, readdir, realpath } from 'node:fs/promises'
import { isAbsolute, posix, sep } from 'node:path'
import { TerminalError } from '../lib/controller/errors.ts'

/** What a path is, without following a link at its end. */
export type EntryKind = 'file' | 'folder' | 'link' | 'other'

export interface Entry {
  readonly name: string
  readonly kind: EntryKind
}

/** A checked-out repository. Paths are relative to its root, with `/`; `.` is the root. */
export interface RepoTree {
  /** undefined when there is nothing, or nothing inside of the repository */
  kind(path: string): Promise<EntryKind | undefined>
  /** undefined when the path is no folder; in the order of their names */
  list(path: string): Promise<Entry[] | undefined>
  /** The bytes of a file, links followed as long as they stay in `within` (the repository when unset). Throws TerminalError. */
  read(path: string, maxBytes: number, within?: string): Promise<Buffer>
  /** A text file; the rules of `read` hold. What is no UTF-8 is a TerminalError. */
  readText(path: string, maxBytes: number): Promise<string>
  /** Where a folder lies on disk, for tools that have to be pointed at it. Throws TerminalError. */
  onDisk(path: string): Promise<string>
}

/** @throws when the root does not exist */
export async function openRepoTree(root: string): Promise<RepoTree> {
  const top = await realpath(root)
  return {
    kind: (path) => kindOf(top, path),
    list: (path) => listFolder(top, path),
    read: (path, maxBytes, within) => readFile(top, path, maxBytes, within ?? '.'),
    readText: async (path, maxBytes) => textOf(path, await readFile(top, path, maxBytes, '.')),
    onDisk: (path) => inside(top, path, '.'),
  }
}

/** A path as it is written, cleaned: `./a//b/` is `a/b`. Undefined when it leads out of the repository. */
export function cleanPath(path: string): string | undefined {
  if (path.includes('\0')) return undefined
  const clean = posix.join('.', path).replace(/(.)\/$/, '$1')
  return clean === '..' || clean.startsWith('../') || isAbsolute(clean) ? undefined : clean
}

async function kindOf(top: string, path: string): Promise<EntryKind | undefined> {
  try {
    const clean = cleanPath(path)
    if (clean === undefined) return undefined
    const parent = await inside(top, posix.dirname(clean), '.')
    const stats = await lstat(clean === '.' ? top : `${parent}/${posix.basename(clean)}`)
    return kindOfStats(stats)
  } catch (error) {
    if (error instanceof TerminalError || isMissing(error)) return undefined
    throw error
  }
}

async function listFolder(top: string, path: string): Promise<Entry[] | undefined> {
  const kind = await kindOf(top, path)
  if (kind !== 'folder' && kind !== 'link') return undefined
  const folder = await inside(top, path, '.').catch(() => undefined)
  if (folder === undefined) return undefined
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  return entries?.map((entry) => ({ name: entry.name, kind: kindOfStats(entry) })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function readFile(top: string, path: string, maxBytes: number, within: string): Promise<Buffer> {
  const file = await open(await inside(top, path, within)).catch((error: unknown) => {
    throw isMissing(error) ? new TerminalError(`${path}: the file does not exist`) : error
  })
  try {
    const stats = await file.stat()
    if (stats.isDirectory()) throw new TerminalError(`${path}: this is a folder, or a symlink to one: only files can be read`)
    if (!stats.isFile()) throw new TerminalError(`${path}: this is no regular file: remove it or name it in .fleetignore`)
    if (stats.size > maxBytes)
      throw new TerminalError(`${path}: the file has ${stats.size} bytes, at most ${maxBytes} can be read: name it in .fleetignore`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function textOf(path: string, bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new TerminalError(`${path}: this is no text in UTF-8`)
  return bytes.toString('utf8')
}

/** The path on disk with all links resolved, if it lies in the folder `within`. */
async function inside(top: string, path: string, within: string): Promise<string> {
  const clean = cleanPath(path)
  if (clean === undefined) throw new TerminalError(`${path}: this path leads out of the repository`)
  const resolve = (part: string) =>
    realpath(part === '.' ? top : `${top}/${part}`).catch((error: unknown) => {
      throw isMissing(error) ? new TerminalError(`${part}: the file does not exist, or is a symlink to one that does not`) : error
    })
  const [found, border] = [await resolve(clean), within === '.' ? top : await resolve(within)]
  if (found !== border && !found.startsWith(border + sep)) {
    const what = within === '.' ? 'the repository' : `the folder ${within}`
    throw new TerminalError(`${path}: this symlink leads out of ${what}: replace it by the file itself`)
  }
  return found
}

function kindOfStats(stats: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): EntryKind {
  if (stats.isSymbolicLink()) return 'link'
  if (stats.isDirectory()) return 'folder'
  return stats.isFile() ? 'file' : 'other'
}

const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'])

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && MISSING.has(String(error.code))
}
