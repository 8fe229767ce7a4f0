// The archive: tar, compressed, one entry an object. It appears under its name only when it is complete.
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { TerminalError } from '../../lib/controller/errors.ts'

export interface Archive {
  /** Entries so far. */
  readonly count: number
  /** Adds an entry; one whose name is there already is left out. */
  add(name: string, text: string): Promise<void>
}

/** For its owner alone: there may be secrets in it. */
const FILE_MODE = 0o600

/**
 * Writes the archive `path` while `fill` adds to it, and returns how many entries it has. After an error there is none.
 * @param unique sets the name of the unfinished file apart
 * @throws TerminalError if the file cannot be written; what `fill` throws
 */
export async function writeArchive(path: string, unique: string, fill: (archive: Archive) => Promise<void>): Promise<number> {
  const found = await stat(path).catch(() => undefined) // what else is wrong with the path shows when it is written
  if (found && !found.isFile()) throw new TerminalError(`${path} is not a file: name one for the dump`)
  const unfinished = `${path}.${unique}.part`
  try {
    const count = await write(unfinished, fill)
    await rename(unfinished, path)
    return count
  } catch (error) {
    await rm(unfinished, { force: true })
    throw describe(path, error)
  }
}

async function write(path: string, fill: (archive: Archive) => Promise<void>): Promise<number> {
  const tar = pack()
  const written = pipeline(tar, createGzip(), createWriteStream(path, { flags: 'wx', mode: FILE_MODE }))
  const names = new Set<string>()
  const failed = written.then(() => undefined)
  failed.catch(() => {}) // nobody may be adding when it fails: the next one, or the end, tells
  const archive: Archive = {
    get count() {
      return names.size
    },
    async add(name, text) {
      if (names.has(name)) return
      names.add(name)
      await Promise.race([failed, addEntry(tar, name, Buffer.from(text))])
    },
  }
  try {
    await fill(archive)
    tar.finalize()
  } catch (error) {
    tar.destroy()
    await written.catch(() => {}) // the cause is the other error
    throw error
  }
  await written
  return names.size
}

/** Resolves when there is room for the next. */
function addEntry(tar: ReturnType<typeof pack>, name: string, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const header = { name, size: data.length, mode: 0o644, mtime: new Date(0), type: 'file' as const }
    tar.entry(header, data, (error) => (error ? reject(error) : resolve()))
  })
}

function describe(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (!code || !syscall) return error
  return new TerminalError(`cannot write ${path}: ${code === 'ENOENT' ? 'there is no such folder' : code}`, { cause: error })
}
