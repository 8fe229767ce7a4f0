// One bare repository on disk that the git command fills, and that is read without a working copy: no hook, filter or link of it ever acts.
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GitError } from '../errors.ts'
import type { PlannedFile, TreeEntry } from '../tree.ts'
import { redactUrl } from '../url.ts'
import { gitEnvironment } from './environment.ts'
import { createObjectReader, type ObjectInfo } from './objects.ts'
import type { Job, Origin } from './origin.ts'
import { runInGroup, startGroup } from './process-group.ts'
import { isNotOffered, toCommandError } from './stderr-table.ts'
import { parseTree } from './trees.ts'

export interface Repository {
  /** Fetches a commit without history; with `isPartial` its files come with {@link complete}, if the server can do that. */
  fetchCommit(oid: string, isPartial: boolean): Promise<void>
  /** Makes sure that these objects are there. */
  complete(oids: readonly string[]): Promise<void>
  treeOf(commit: string): Promise<string>
  readTree(oid: string): Promise<TreeEntry[]>
  info(oid: string): Promise<ObjectInfo | undefined>
  readBlob(oid: string): Promise<Buffer>
  /** The values of the attribute `filter`, in the order of `paths`, by these files named .gitattributes. */
  filtersOf(attributes: readonly PlannedFile[], paths: readonly string[]): Promise<string[]>
  /** Keys and values of a blob in the format of git's settings whose keys match. */
  settingsIn(oid: string, keys: string): Promise<[key: string, value: string][]>
  /** Names and ids of refs, by full names or patterns. */
  listRefs(names: readonly string[]): Promise<Map<string, string>>
  close(): void
}

const WATCH_MS = 250
const MIN_ALLOCATION = 256 * 2 ** 20
/** The program, its stack and whatever else is not for objects. */
const BASE_MEMORY = 2 ** 30
const MAX_SETTINGS_BYTES = 2 ** 20
const MAX_REFS_BYTES = 32 * 2 ** 20

interface Call {
  readonly input?: string | undefined
  readonly maxOutputBytes?: number | undefined
  readonly settings?: Readonly<Record<string, string>> | undefined
}

/** `dir` is a private, empty folder. */
export function createRepository(job: Job, origin: Origin, dir: string): Repository {
  const { limits, command, budget } = job
  const { url } = origin.remote
  const gitDir = join(dir, 'git')
  const maxAllocation = Math.max(limits.fileBytes, MIN_ALLOCATION)
  const memoryKb = Math.ceil((BASE_MEMORY + 2 * maxAllocation + limits.packBytes) / 1_024)
  const objects = createObjectReader(() => startGroup(command.git, ['cat-file', '--batch-command'], group('none', origin.signal)))
  let isPartial = false
  let fetched = ''
  let counted = 0

  function group(protocol: 'none' | Origin['protocol'], signal: AbortSignal, settings: Call['settings'] = {}) {
    const variables = { ...origin.variables, GIT_DIR: gitDir }
    return { cwd: dir, env: gitEnvironment({ home: dir, protocol, maxAllocation, settings, variables }), signal, memoryKb }
  }

  /** Without a way to anybody. */
  async function local(args: readonly string[], { input, maxOutputBytes }: Call = {}): Promise<Buffer> {
    return (await runInGroup(command.git, args, { ...group('none', origin.signal), input, maxOutputBytes })).stdout
  }

  async function remote(
    args: readonly string[],
    { input, maxOutputBytes, settings }: Call = {},
  ): Promise<{ stdout: Buffer; stderr: string }> {
    const tooMuch = new AbortController()
    const signal = AbortSignal.any([origin.signal, tooMuch.signal])
    const timer = setInterval(() => void watch(tooMuch), WATCH_MS)
    try {
      const done = await runInGroup(command.git, args, {
        ...group(origin.protocol, signal, { 'remote.origin.url': origin.gitUrl, ...settings }),
        input,
        maxOutputBytes,
      })
      await account()
      return done
    } catch (error) {
      origin.signal.throwIfAborted()
      throw error
    } finally {
      clearInterval(timer)
    }
  }

  /** The bridge counts what it passes on; what comes by ssh shows on disk only. */
  async function watch(tooMuch: AbortController): Promise<void> {
    const isOver = origin.protocol === 'ssh' && (await packSize(gitDir)) - counted > budget.left
    if (isOver) tooMuch.abort(budget.exceeded(url))
  }

  async function account(): Promise<void> {
    if (origin.protocol !== 'ssh') return
    const size = await packSize(gitDir)
    const isWithin = budget.take(size - counted)
    counted = size
    if (!isWithin) throw budget.exceeded(url)
  }

  async function startOver(): Promise<void> {
    objects.close()
    await rm(gitDir, { recursive: true, force: true, maxRetries: 3 })
    await mkdir(gitDir, { mode: 0o700 })
    counted = 0
    await local(['init', '-q', '--bare', '--template=', '--object-format=sha1', '--', gitDir])
  }

  async function fetchAlone(oid: string): Promise<void> {
    const filter = isPartial ? ['--filter=blob:none'] : []
    const { stderr } = await remote(['fetch', '-q', '--depth=1', '--no-tags', '--no-write-fetch-head', ...filter, '--', 'origin', oid])
    if (stderr.includes('filtering not recognized')) isPartial = false
  }

  /** For servers that give only what a ref names: everything, and the commit is looked for in it. */
  async function fetchAll(): Promise<void> {
    isPartial = false
    await startOver()
    const refs = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
    await remote(['fetch', '-q', '--no-tags', '--no-write-fetch-head', '--', 'origin', ...refs])
  }

  async function fetchCommit(oid: string): Promise<void> {
    fetched = oid
    await startOver()
    try {
      await fetchAlone(oid)
    } catch (error) {
      if (!isNotOffered(error)) throw error
      await fetchAll()
    }
    if ((await objects.info(oid))?.type !== 'commit')
      throw new GitError('unknown-ref', `the repository ${redactUrl(url)} has no commit ${oid}; name another`)
  }

  async function complete(oids: readonly string[]): Promise<void> {
    if (!isPartial || oids.length === 0) return
    objects.close() // it has no eyes for packs that come later
    try {
      const flags = ['--no-tags', '--no-write-fetch-head', '--filter=blob:none', '--stdin']
      const settings = { 'fetch.negotiationAlgorithm': 'noop' }
      await remote(['fetch', '-q', ...flags, '--', 'origin'], { input: `${[...new Set(oids)].join('\n')}\n`, settings })
    } catch (error) {
      if (!isNotOffered(error)) throw error
      isPartial = false
      await fetchCommit(fetched)
    }
  }

  /** What a process of git, or its end, means to the user. */
  async function told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      origin.signal.throwIfAborted()
      throw toCommandError(error, url, { hidden: origin.gitUrl, knownBy: origin.ssh?.knownBy })
    }
  }

  async function read(oid: string): Promise<Buffer> {
    const data = await objects.read(oid, limits.fileBytes)
    if (data) return data
    if (await objects.info(oid)) throw tooLarge(url, limits.fileBytes)
    throw new GitError('protocol', `the server of ${redactUrl(url)} sent a pack that lacks objects; it is tried again`)
  }

  async function readTree(oid: string): Promise<TreeEntry[]> {
    const entries = (await objects.info(oid))?.type === 'tree' ? parseTree(await read(oid)) : undefined
    if (!entries) throw new GitError('protocol', `the server of ${redactUrl(url)} sent a broken pack (a folder is none); it is tried again`)
    return entries
  }

  async function treeOf(commit: string): Promise<string> {
    const [, oid] = /^tree ([0-9a-f]{40})\n/.exec((await read(commit)).toString('latin1', 0, 46)) ?? []
    if (!oid) throw new GitError('protocol', `the server of ${redactUrl(url)} sent a broken pack (a commit is none); it is tried again`)
    return oid
  }

  async function filtersOf(attributes: readonly PlannedFile[], paths: readonly string[]): Promise<string[]> {
    const index = attributes.map(({ path, oid }) => `100644 ${oid}\t${path}\0`).join('')
    await local(['update-index', '-z', '--index-info'], { input: index })
    const output = await local(['check-attr', '--cached', '-z', '--stdin', 'filter'], { input: paths.map((path) => `${path}\0`).join('') })
    const fields = output.toString('utf8').split('\0')
    return paths.map((_, at) => fields[at * 3 + 2] ?? '')
  }

  async function settingsIn(oid: string, keys: string): Promise<[string, string][]> {
    const output = await local(['config', '--null', `--blob=${oid}`, '--get-regexp', keys], { maxOutputBytes: MAX_SETTINGS_BYTES })
    const lines = output
      .toString('utf8')
      .split('\0')
      .filter((line) => line.includes('\n'))
    return lines.map((line) => [line.slice(0, line.indexOf('\n')), line.slice(line.indexOf('\n') + 1)])
  }

  async function listRefs(names: readonly string[]): Promise<Map<string, string>> {
    await startOver()
    const { stdout } = await remote(['ls-remote', '-q', '--', 'origin', ...names], { maxOutputBytes: MAX_REFS_BYTES })
    const lines = stdout.toString('utf8').split('\n').filter(Boolean)
    return new Map(lines.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]))
  }

  return {
    fetchCommit(oid, wantsPartial) {
      isPartial = wantsPartial
      return told(fetchCommit(oid))
    },
    complete: (oids) => told(complete(oids)),
    treeOf: (commit) => told(treeOf(commit)),
    readTree: (oid) => told(readTree(oid)),
    info: (oid) => told(objects.info(oid)),
    readBlob: (oid) => told(read(oid)),
    filtersOf: (attributes, paths) => told(filtersOf(attributes, paths)),
    settingsIn: (oid, keys) => told(settingsIn(oid, keys)),
    listRefs: (names) => told(listRefs(names)),
    close: () => objects.close(),
  }
}

/** Bytes of the packs, whole or coming in. */
async function packSize(gitDir: string): Promise<number> {
  const folder = join(gitDir, 'objects', 'pack')
  const names = await readdir(folder).catch(() => [])
  const packs = names.filter((name) => name.endsWith('.pack') || name.startsWith('tmp_pack'))
  const sizes = await Promise.all(
    packs.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  ) // it may just have got its name
  return sizes.reduce((sum, size) => sum + size, 0)
}

function tooLarge(url: string, bytes: number): GitError {
  return new GitError(
    'too-large',
    `the repository ${redactUrl(url)} has a file of more than ${Math.ceil(bytes / 2 ** 20)} MiB; split it, or take large files out of it`,
  )
}
