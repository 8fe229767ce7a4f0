// The backend on isomorphic-git. It blocks the event loop for a second now and then and keeps packs in memory: it belongs into a worker thread.
import { mkdir, rm } from 'node:fs/promises'
import git from 'isomorphic-git'
import { unlessAborted } from './abort.ts'
import { writeTree } from './checkout.ts'
import type { Dispatchers } from './dispatchers.ts'
import { toGitError } from './error-table.ts'
import { GitError } from './errors.ts'
import { createGitHubAppTokens } from './github-app.ts'
import { withHead } from './head-ref.ts'
import { createTransport, type Transport } from './http.ts'
import { createMemoryFs, type MemoryFs } from './memory-fs.ts'
import { scanPack } from './pack-scan.ts'
import { checkBranch, checkTag, isCommitId } from './refs.ts'
import { createSshConnections } from './ssh/connections.ts'
import { planTree, wantedBy } from './tree.ts'
import type { FetchOptions, GitBackend, GitLimits, GitRef, GitRemote } from './types.ts'
import { isSshUrl, parseHttpUrl, redactUrl } from './url.ts'

const DEFAULT_TIMEOUT_MS = 30_000
/** The longest silence of a server that is sending a pack. */
const FETCH_IDLE_MS = 60_000
/** A list of refs: a quarter of a million of them. */
const MAX_REFS_BYTES = 32 * 2 ** 20
/** What the git library takes for the address of a repository that is reached by ssh; it knows http only. */
const SSH_STAND_IN = 'http://ssh.invalid/repository'
const GITDIR = '/git'

/** A transport, and the addresses it is for. */
interface Access {
  readonly http: Transport
  /** For messages. */
  readonly url: string
  /** For the git library. */
  readonly base: string
}

interface TransferLimits {
  readonly idleMs: number
  readonly timeMs: number
  readonly maxBytes: number
}

/** A backend for http(s) and ssh that works in the calling thread; `dispatchers` keeps its connections. */
export function createIsomorphicBackend(dispatchers: Dispatchers, now: () => number = Date.now): GitBackend {
  const tokens = createGitHubAppTokens(dispatchers, now)
  const connections = createSshConnections({ now })

  /** Runs `work` with a transport, a time limit and errors for the user. */
  async function withTransport<T>(
    remote: GitRemote,
    limits: TransferLimits,
    signal: AbortSignal,
    work: (access: Access, limited: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(limits.timeMs)])
    const run = isSshUrl(remote.url) ? overSsh<T> : overHttp<T>
    try {
      return await run(remote, limits, limited, work)
    } catch (error) {
      signal.throwIfAborted()
      throw toGitError(limited.aborted ? limited.reason : error, remote.url)
    }
  }

  async function overHttp<T>(
    remote: GitRemote,
    { idleMs, maxBytes }: TransferLimits,
    signal: AbortSignal,
    work: (access: Access, limited: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { url, origin, credentials: inside } = parseHttpUrl(remote.url)
    const given = remote.credentials ?? inside
    if (given?.kind === 'ssh')
      throw new GitError(
        'authentication',
        `an SSH private key does not open ${redactUrl(url)}: use its ssh address, or a user name and password`,
      )
    const app = given?.kind === 'github-app' ? given : undefined
    const credentials = given?.kind === 'github-app' ? await tokens.credentialsFor(remote, given, signal) : given
    const dispatcherFor = (target: string) => dispatchers.for(remote, target)
    const http = createTransport({ url, origin, credentials, dispatcherFor, idleMs, maxBytes, signal })
    try {
      return await work({ http, url, base: url }, signal)
    } catch (error) {
      if (app && toGitError(error, url).kind === 'authentication') tokens.forget(remote, app)
      throw error
    }
  }

  /** Most programs never meet an ssh address, and need not load what it takes. */
  async function overSsh<T>(
    remote: GitRemote,
    { idleMs, maxBytes }: TransferLimits,
    signal: AbortSignal,
    work: (access: Access, limited: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { createSshTransport } = await import('./ssh/transport.ts')
    const http = createSshTransport(remote, { idleMs, maxBytes, signal, now, connections })
    try {
      return await work({ http, url: remote.url, base: SSH_STAND_IN }, signal)
    } finally {
      http.close()
    }
  }

  async function resolve(remote: GitRemote, ref: GitRef, signal: AbortSignal): Promise<string> {
    const wanted = wantedRefs(ref)
    if ('commit' in wanted) return wanted.commit
    const timeMs = remote.timeoutMs ?? DEFAULT_TIMEOUT_MS
    return withTransport(remote, { idleMs: timeMs, timeMs, maxBytes: MAX_REFS_BYTES }, signal, async ({ http, url, base }, limited) => {
      for (const name of wanted.names) {
        const asked = git.listServerRefs({ http, url: base, prefix: name, peelTags: true, protocolVersion: 2 })
        const refs = await unlessAborted(limited, asked)
        const found = refs.find((one) => one.ref === name)
        if (found) return found.peeled ?? found.oid
      }
      throw new GitError(
        'unknown-ref',
        `commit not found for ${describe(ref)}: the repository ${redactUrl(url)} has ${'tag' in ref ? 'no tag' : 'none'} of that name; create it or name another`,
      )
    })
  }

  async function fetch(remote: GitRemote, commit: string, into: string, options: FetchOptions, signal: AbortSignal): Promise<void> {
    const { limits, paths, onWritten } = options
    if (!isCommitId(commit)) throw new GitError('unknown-ref', `${JSON.stringify(commit.slice(0, 100))} is not a commit id`)
    const oid = commit.toLowerCase()
    const idleMs = Math.max(FETCH_IDLE_MS, remote.timeoutMs ?? 0)
    await withTransport(remote, { idleMs, timeMs: limits.timeMs, maxBytes: limits.packBytes }, signal, async (access, limited) => {
      const { url } = access
      if (oid.length > 40)
        throw new GitError(
          'protocol',
          `the repository ${redactUrl(url)} uses SHA-256 for its objects, which is not supported; convert it to SHA-1`,
        )
      const repository = await unlessAborted(limited, fetchCommit(access, oid, limits))
      const root = await repository.treeOf(oid)
      const plan = await planTree(root, repository.readTree, wantedBy(paths), limits, url)
      await mkdir(into, { mode: 0o700 })
      try {
        const written = await writeTree(into, plan, { readBlob: repository.readBlob, limits, url, signal: limited })
        onWritten?.(written)
      } catch (error) {
        await rm(into, { recursive: true, force: true, maxRetries: 3 })
        throw error
      }
    })
  }

  return { resolve, fetch }
}

/** The full names a ref may have, best first; or the commit id it is. */
function wantedRefs(ref: GitRef): { names: readonly string[] } | { commit: string } {
  if ('branch' in ref) {
    checkBranch(ref.branch)
    return { names: [`refs/heads/${ref.branch}`] }
  }
  if ('tag' in ref) {
    checkTag(ref.tag)
    return { names: [`refs/tags/${ref.tag}`] }
  }
  const name = 'commit' in ref ? ref.commit : ref.revision
  if (isCommitId(name)) return { commit: name }
  if ('commit' in ref) throw new GitError('unknown-ref', `${JSON.stringify(name.slice(0, 100))} is not a commit id`)
  checkTag(name)
  return { names: [`refs/tags/${name}`, `refs/heads/${name}`] }
}

function describe(ref: GitRef): string {
  if ('branch' in ref) return `branch: ${ref.branch}`
  if ('tag' in ref) return `revision: ${ref.tag}`
  return `revision: ${'revision' in ref ? ref.revision : ref.commit}`
}

/** The objects of one fetch. */
interface Repository {
  treeOf(commit: string): Promise<string>
  readTree(oid: string): Promise<{ mode: string; path: string; oid: string; type: string }[]>
  readBlob(oid: string): Promise<Uint8Array>
}

/** Asks for the commit itself; a server that gives only what a ref names is asked for everything, and the commit looked for in it. */
async function fetchCommit(access: Access, oid: string, limits: GitLimits): Promise<Repository> {
  const alone = await fetchInto(access, { ref: oid, remoteRef: oid, singleBranch: true, depth: 1 }, limits)
  if (await alone.has(oid)) return alone
  const all = await fetchInto(access, { singleBranch: false, tags: true }, limits)
  if (await all.has(oid)) return all
  throw new GitError('unknown-ref', `the repository ${redactUrl(access.url)} has no commit ${oid}; name another`)
}

async function fetchInto(
  { http, url, base }: Access,
  what: { ref?: string; remoteRef?: string; singleBranch: boolean; depth?: number; tags?: boolean },
  limits: GitLimits,
): Promise<Repository & { has(oid: string): Promise<boolean> }> {
  const fs = createMemoryFs((path, data) => {
    if (path.endsWith('.pack')) scanPack(data, limits, url)
  })
  const repo = { fs, gitdir: GITDIR, dir: GITDIR, cache: {} }
  await prepare(fs, base)
  await git.fetch({ ...repo, http: withHead(http), url: base, remote: 'origin', ...what })
  return {
    treeOf: async (commit) => (await git.readCommit({ ...repo, oid: commit })).commit.tree,
    readTree: async (oid) => (await git.readTree({ ...repo, oid })).tree,
    readBlob: async (oid) => (await git.readBlob({ ...repo, oid })).blob,
    has: async (oid) => {
      try {
        await git.readCommit({ ...repo, oid })
        return true
      } catch (error) {
        if (error instanceof git.Errors.NotFoundError) return false
        throw error
      }
    },
  }
}

async function prepare(fs: MemoryFs, url: string): Promise<void> {
  await git.init({ fs, dir: GITDIR, gitdir: GITDIR, bare: true })
  await git.setConfig({ fs, gitdir: GITDIR, path: 'remote.origin.url', value: url })
  await git.setConfig({ fs, gitdir: GITDIR, path: 'remote.origin.fetch', value: '+refs/heads/*:refs/remotes/origin/*' })
}
