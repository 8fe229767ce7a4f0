// Which backend reads a repository: the default one, or the git command for what only that can do.
import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createSlots, type Slots } from '../exec/slots.ts'
import type { CommandBackend } from './command/command-backend.ts'
import { MAX_POINTER_BYTES, parsePointer } from './command/lfs-pointer.ts'
import { GitError } from './errors.ts'
import { wantedBy } from './tree.ts'
import type { FetchOptions, GitBackend, GitRemote } from './types.ts'
import { hostOf, redactUrl } from './url.ts'
import { type WrittenFiles, withoutFiles } from './written-files.ts'

export interface ChooseOptions<T> {
  /** The default: resolves all refs, and fetches as long as nothing speaks against it. */
  readonly backend: T
  /** The value of PATH, where git is looked for when it is needed. */
  readonly searchPath: string
  /** Parent of temporary folders. */
  readonly tempDir: string
  /** Told once for each repository of which only a part can be read: its address without credentials, and what is missing, for users. */
  readonly warn: (repo: string, message: string) => void
}

interface ClosableBackend extends GitBackend {
  close(): Promise<void>
}

const MAX_REMEMBERED = 1_000
/** Each may take as much memory as a whole repository. */
const COMMANDS_AT_A_TIME = 3
/** A server that dribbles keeps its places for long; one is left for the others. */
const COMMANDS_OF_HOST = 2
const SUBMODULES = '.gitmodules'
const ATTRIBUTES = '.gitattributes'
const MAX_SETTINGS_BYTES = 2 ** 20

/**
 * A backend like the given one (with whatever else it can do) that fetches with the git command (2.39 or newer) when the commit has submodules or
 * large files (git LFS) in the paths that are read, or is too large for the default. Without such a git it reads what can be read, and warns.
 */
export function chooseBackend<T extends ClosableBackend>({ backend, searchPath, tempDir, warn }: ChooseOptions<T>): T {
  const needCommand = new Set<string>()
  const warned = new Set<string>()
  const slots = createSlots(COMMANDS_AT_A_TIME)
  const hosts = new Map<string, { readonly slots: Slots; users: number }>()
  let command: Promise<CommandBackend | { problem: string }> | undefined

  async function lookUp(): Promise<CommandBackend | { problem: string }> {
    // Most programs never need it, and need not load what it takes.
    const [{ findGitCommand }, { createCommandBackend }] = await Promise.all([
      import('./command/find-git.ts'),
      import('./command/command-backend.ts'),
    ])
    const found = await findGitCommand(searchPath)
    return 'problem' in found ? found : createCommandBackend({ command: found, tempDir })
  }

  async function findCommand(): Promise<CommandBackend | { problem: string }> {
    command ??= lookUp()
    const found = await command
    if ('problem' in found) command = undefined // it may be there next time
    return found
  }

  async function inTurn(host: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const ofHost = hosts.get(host) ?? { slots: createSlots(COMMANDS_OF_HOST), users: 0 }
    hosts.set(host, ofHost)
    ofHost.users += 1
    try {
      await ofHost.slots.run(() => slots.run(work, signal), signal)
    } finally {
      ofHost.users -= 1
      if (ofHost.users === 0) hosts.delete(host)
    }
  }

  async function fetch(remote: GitRemote, commit: string, into: string, options: FetchOptions, signal: AbortSignal): Promise<void> {
    const byCommand = async (found: CommandBackend): Promise<void> => {
      remember(needCommand, remote.url)
      await inTurn(hostOf(remote.url), signal, () => found.fetch(remote, commit, into, options, signal))
    }
    if (needCommand.has(remote.url)) {
      const found = await findCommand()
      if (!('problem' in found)) return byCommand(found)
    }
    const { missing, written } = await fetchByDefault(remote, commit, into, options, signal)
    const describe = (): void => {
      if (written) options.onWritten?.(written)
    }
    if (!missing) return describe()
    const found = await findCommand()
    if ('problem' in found) {
      const repo = redactUrl(remote.url)
      if (missing instanceof GitError) throw missing
      if (!warned.has(`${remote.url} ${missing}`))
        warn(repo, `${missing} of ${repo} are left out: they need git 2.39 or newer, but ${found.problem}; install it beside this program`)
      remember(warned, `${remote.url} ${missing}`)
      return describe()
    }
    await rm(into, { recursive: true, force: true, maxRetries: 3 })
    return byCommand(found)
  }

  /** Returns what was written, and what could not be read: the error, or the sort of files. */
  async function fetchByDefault(
    remote: GitRemote,
    commit: string,
    into: string,
    options: FetchOptions,
    signal: AbortSignal,
  ): Promise<{ missing: GitError | string | undefined; written?: WrittenFiles | undefined }> {
    const { paths, limits, onWritten } = options
    let written: WrittenFiles | undefined
    const note = (files: WrittenFiles): void => {
      written = files
    }
    const extra = paths && paths.length > 0 ? tellingFiles(paths) : []
    try {
      await backend.fetch(remote, commit, into, { limits, paths: paths && [...paths, ...extra], onWritten: onWritten && note }, signal)
    } catch (error) {
      if (error instanceof GitError && error.kind === 'too-large') return { missing: error }
      throw error
    }
    const missing = await missingIn(into, paths)
    const wanted = wantedBy(paths)
    const unwanted = extra.filter((path) => !wanted(path, false))
    for (const path of unwanted) await rm(join(into, path), { force: true })
    return { missing, written: written && withoutFiles(written, unwanted) }
  }

  return {
    ...backend,
    fetch,
    async close() {
      const found = await command?.catch(() => undefined)
      await Promise.all([backend.close(), found && 'close' in found ? found.close() : undefined])
    },
  }
}

/** The files that say of the paths whether they hold submodules or large files. */
function tellingFiles(paths: readonly string[]): string[] {
  const folders = paths.flatMap((path) => {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.')
    return parts.map((_, at) => parts.slice(0, at).join('/'))
  })
  return [SUBMODULES, ...[...new Set(folders)].map((folder) => (folder === '' ? ATTRIBUTES : `${folder}/${ATTRIBUTES}`))]
}

async function missingIn(root: string, paths: readonly string[] | undefined): Promise<string | undefined> {
  if (await hasSubmodules(root, paths)) return 'submodules'
  return (await hasLargeFiles(root)) ? 'large files (git LFS)' : undefined
}

async function hasSubmodules(root: string, paths: readonly string[] | undefined): Promise<boolean> {
  const text = await readSmall(join(root, SUBMODULES))
  const wanted = wantedBy(paths)
  return [...text.matchAll(/^[ \t]*path[ \t]*=[ \t]*"?([^"\r\n]+?)"?[ \t\r]*$/gim)].some(
    ([, path]) => path !== undefined && wanted(path, true),
  )
}

/** A pointer counts only where something says that files are pointers. */
async function hasLargeFiles(root: string): Promise<boolean> {
  const entries = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const attributes = entries.filter(({ name }) => name === ATTRIBUTES).map(({ parentPath, name }) => join(parentPath, name))
  if (!(await some(attributes, async (file) => (await readSmall(file)).includes('filter=lfs')))) return false
  return some(entries, async ({ parentPath, name }) => isPointer(join(parentPath, name)))
}

async function isPointer(path: string): Promise<boolean> {
  const { size } = await lstat(path)
  if (size >= MAX_POINTER_BYTES) return false
  return parsePointer(await readFile(path, 'utf8')) !== undefined
}

/** Empty for what is no file of that name, or too large to be meant for us. Links are not followed. */
async function readSmall(path: string): Promise<string> {
  const found = await lstat(path).catch(() => undefined)
  return found?.isFile() && found.size <= MAX_SETTINGS_BYTES ? readFile(path, 'utf8') : ''
}

async function some<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await test(item)) return true
  return false
}

/** The oldest one is forgotten when there are too many. */
function remember(set: Set<string>, item: string): void {
  set.delete(item)
  set.add(item)
  const [oldest] = set
  if (set.size > MAX_REMEMBERED && oldest !== undefined) set.delete(oldest)
}
