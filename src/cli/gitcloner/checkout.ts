// Puts the files of a commit into a folder, which may be there already if it is empty: a volume is.
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TerminalError } from '../../lib/controller/errors.ts'
import { DEFAULT_GIT_LIMITS, type GitBackend, type GitRef, type GitRemote } from '../../lib/git/types.ts'

export interface Checkout {
  readonly backend: GitBackend
  readonly remote: GitRemote
  readonly ref: GitRef
  readonly path: string
  /** sets the folder that is filled first apart from the files of the repository */
  readonly unique: string
  readonly signal: AbortSignal
}

/** Returns the commit. After an error the folder is as it was before. Throws GitError, and TerminalError for a folder that cannot be used. */
export async function checkOut({ backend, remote, ref, path, unique, signal }: Checkout): Promise<string> {
  const created = await prepare(path)
  const inner = join(path, `.checkout-${unique}`)
  try {
    const commit = await backend.resolve(remote, ref, signal)
    await backend.fetch(remote, commit, inner, { limits: DEFAULT_GIT_LIMITS }, signal)
    for (const name of await readdir(inner)) await rename(join(inner, name), join(path, name))
    await rmdir(inner)
    return commit
  } catch (error) {
    await clear(path, created)
    throw error
  }
}

/** The outermost folder that had to be created; undefined if an empty one was there. */
async function prepare(path: string): Promise<string | undefined> {
  try {
    const created = await mkdir(path, { recursive: true })
    if ((await readdir(path)).length > 0) throw new TerminalError(`${path} is not empty: name a folder that is new or empty`)
    return created
  } catch (error) {
    if (error instanceof TerminalError) throw error
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'there is a file of that name' : code
    throw new TerminalError(`cannot create the folder ${path}: ${why}`, { cause: error })
  }
}

/** What is in the folder is ours: it was empty. */
async function clear(path: string, created: string | undefined): Promise<void> {
  if (created !== undefined) return rm(created, { recursive: true, force: true })
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true })
}
