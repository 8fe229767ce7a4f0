// Collects what is to be written for a commit: its own files, those of its submodules at their places, and large files.
import { mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { GitError } from '../errors.ts'
import { type PlannedFile, planTree, type TreePlan, wantedBy } from '../tree.ts'
import type { GitRemote } from '../types.ts'
import { redactUrl } from '../url.ts'
import { downloadLargeFiles } from './lfs.ts'
import { MAX_POINTER_BYTES, parsePointer } from './lfs-pointer.ts'
import { openLfsStore } from './lfs-store.ts'
import { type Job, type Origin, openOrigin } from './origin.ts'
import { createRepository, type Repository } from './repository.ts'
import { resolveSubmoduleUrl, SUBMODULE_KEYS, type Submodule, submoduleRemote, submodulesOf } from './submodules.ts'

export interface Gathered extends TreePlan {
  /** Content by the `oid` of a planned file, which is the id of the object in git, or of the large file. */
  readBlob(oid: string): Promise<Uint8Array>
}

const MAX_DEPTH = 5
const MAX_SUBMODULES = 64
const ATTRIBUTES = '.gitattributes'
const SUBMODULES = '.gitmodules'

/** One repository of those that make up the result. */
interface Part {
  readonly remote: GitRemote
  readonly commit: string
  /** Where its files go: empty, or a path that ends with a slash. */
  readonly prefix: string
  readonly depth: number
}

/** Calls `use` with what the commit holds below `paths`, and ends all processes and connections afterwards. `dir` is a private folder. */
export async function gather<T>(
  job: Job,
  { remote, commit, paths }: { remote: GitRemote; commit: string; paths: readonly string[] | undefined },
  dir: string,
  use: (gathered: Gathered) => Promise<T>,
): Promise<T> {
  const wanted = wantedBy(paths)
  const isPartial = !wanted('\0', false) // a name that no path can ask for
  const folders: string[] = []
  const files: PlannedFile[] = []
  const readers = new Map<string, () => Promise<Uint8Array>>()
  const open: { close(): unknown }[] = []
  let count = 0

  async function add(part: Part): Promise<void> {
    const place = join(dir, String(count++))
    await mkdir(place, { mode: 0o700 })
    const origin = await openOrigin(job, part.remote, place)
    open.push(origin)
    const repository = createRepository(job, origin, place)
    open.push(repository)
    await repository.fetchCommit(part.commit, isPartial)
    const plan = await planOf(repository, part)
    const [attributes, inside] = [
      plan.files.filter(isAttributes),
      plan.files.find((file) => file.path === SUBMODULES && file.kind === 'file'),
    ]
    const own = plan.files.filter(({ path }) => wanted(`${part.prefix}${path}`, false))
    await repository.complete([...own, ...attributes, ...(inside ? [inside] : [])].map(({ oid }) => oid))
    const large = await largeFiles(repository, origin, place, attributes, own)
    folders.push(...plan.folders.map((path) => `${part.prefix}${path}`))
    for (const file of own) {
      const source = large.get(file.path)
      // the name of the stored file is the sum of its content
      const oid = source === undefined ? file.oid : `sha256:${basename(source)}`
      readers.set(oid, source === undefined ? () => repository.readBlob(oid) : () => readFile(source))
      files.push({ ...file, oid, path: `${part.prefix}${file.path}` })
    }
    if (files.length + folders.length > job.limits.files) throw tooMany(remote.url, job.limits.files)
    if (inside)
      await addSubmodules(part, repository, plan, submodulesOf(await repository.settingsIn(inside.oid, SUBMODULE_KEYS).catch(none)))
  }

  /** A file .gitmodules that git cannot read, or that names nothing, is no reason to fail. */
  function none(): [] {
    job.signal.throwIfAborted()
    return []
  }

  /** Files that say something of others are planned too, wherever they are. */
  async function planOf(repository: Repository, { commit: oid, prefix, remote: { url } }: Part): Promise<TreePlan> {
    const isWanted = (path: string, isFolder: boolean): boolean =>
      wanted(`${prefix}${path}`, isFolder) || (!isFolder && (path === SUBMODULES || isAttributes({ path })))
    return planTree(await repository.treeOf(oid), repository.readTree, isWanted, job.limits, url)
  }

  async function addSubmodules(part: Part, repository: Repository, plan: TreePlan, submodules: readonly Submodule[]): Promise<void> {
    const root = await repository.treeOf(part.commit)
    const taken = new Set([...plan.folders, ...plan.files.map(({ path }) => path)])
    for (const { path, url } of submodules) {
      const place = `${part.prefix}${path}`
      const commitInside = wanted(place, true) && !taken.has(path) ? await linkedCommit(repository, root, path) : undefined
      if (commitInside === undefined || !isFree(path, plan.folders)) continue
      if (part.depth >= MAX_DEPTH) throw nestedTooDeep(remote.url)
      if (count > MAX_SUBMODULES)
        throw new GitError('too-large', `the repository ${redactUrl(remote.url)} has more than ${MAX_SUBMODULES} submodules; split it`)
      taken.add(path)
      folders.push(place)
      await addSubmodule(part, path, url, commitInside)
    }
  }

  async function addSubmodule(part: Part, path: string, url: string, commitInside: string): Promise<void> {
    try {
      const inside = submoduleRemote(part.remote, resolveSubmoduleUrl(part.remote.url, url))
      await add({ remote: inside, commit: commitInside, prefix: `${part.prefix}${path}/`, depth: part.depth + 1 })
    } catch (error) {
      job.signal.throwIfAborted()
      if (!(error instanceof GitError) || error.message.startsWith('submodule ')) throw error
      const { kind, message, retryAfterMs } = error
      throw new GitError(kind, `submodule ${part.prefix}${path} of ${redactUrl(remote.url)}: ${message}`, { cause: error, retryAfterMs })
    }
  }

  /** Files whose content is a pointer to a large one, and where that is now. */
  async function largeFiles(
    repository: Repository,
    origin: Origin,
    place: string,
    attributes: readonly PlannedFile[],
    own: readonly PlannedFile[],
  ): Promise<Map<string, string>> {
    const candidates = (await speaksOfLfs(repository, attributes)) ? own.filter(({ kind }) => kind !== 'link') : []
    if (candidates.length === 0) return new Map()
    const filters = await repository.filtersOf(
      attributes,
      candidates.map(({ path }) => path),
    )
    const pointers = []
    for (const { path, oid } of candidates.filter((_, at) => filters[at] === 'lfs')) {
      const isShort = ((await repository.info(oid))?.size ?? 0) < MAX_POINTER_BYTES
      const pointer = isShort ? parsePointer((await repository.readBlob(oid)).toString('utf8')) : undefined
      if (pointer) pointers.push({ ...pointer, path })
    }
    if (pointers.length === 0) return new Map()
    const store = join(place, 'lfs')
    await mkdir(store, { mode: 0o700 })
    await downloadLargeFiles(await openLfsStore(job, origin, place), pointers, store, job.limits)
    return new Map(pointers.map(({ path, oid }) => [path, join(store, oid)]))
  }

  try {
    await add({ remote, commit, prefix: '', depth: 0 })
    const readBlob = async (oid: string): Promise<Uint8Array> => (await readers.get(oid)?.()) ?? new Uint8Array()
    return await use({ folders, files, readBlob })
  } finally {
    await Promise.all(open.map((one) => one.close()))
  }
}

function isAttributes({ path }: Pick<PlannedFile, 'path'>): boolean {
  return path === ATTRIBUTES || path.endsWith(`/${ATTRIBUTES}`)
}

async function speaksOfLfs(repository: Repository, attributes: readonly PlannedFile[]): Promise<boolean> {
  for (const { oid, kind } of attributes) if (kind !== 'link' && (await repository.readBlob(oid)).includes('filter=lfs')) return true
  return false
}

/** The commit that the tree names at a path; undefined if something else is there, or nothing. */
async function linkedCommit(repository: Repository, root: string, path: string): Promise<string | undefined> {
  let oid = root
  const parts = path.split('/')
  for (const [at, part] of parts.entries()) {
    const entry = (await repository.readTree(oid)).find((one) => one.path === part)
    const isLast = at === parts.length - 1
    if (!entry || entry.type !== (isLast ? 'commit' : 'tree')) return undefined
    oid = entry.oid
  }
  return oid
}

/** Whether a folder can be made there: its parent is one, and the name leads nowhere else. */
function isFree(path: string, folders: readonly string[]): boolean {
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  return (slash < 0 || folders.includes(path.slice(0, slash))) && !/^(?:|\.|\.\.|\.git)$/i.test(name) && !name.includes('\0')
}

function tooMany(url: string, files: number): GitError {
  return new GitError('too-large', `the repository ${redactUrl(url)} has more than ${files} files, those of submodules included; split it`)
}

function nestedTooDeep(url: string): GitError {
  return new GitError('too-large', `the repository ${redactUrl(url)} has submodules more than ${MAX_DEPTH} levels deep; take some out`)
}
