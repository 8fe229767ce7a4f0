// Commits and pushes with isomorphic-git. As the reading backend, it belongs into a worker thread.
import git from 'isomorphic-git'
import { unlessAborted } from '../abort.ts'
import type { Dispatchers } from '../dispatchers.ts'
import { cleanText, toGitError } from '../error-table.ts'
import { GitError } from '../errors.ts'
import { withHead } from '../head-ref.ts'
import { createMemoryFs } from '../memory-fs.ts'
import { scanPack } from '../pack-scan.ts'
import { checkBranch } from '../refs.ts'
import type { GitLimits } from '../types.ts'
import { redactUrl } from '../url.ts'
import { createWriteAccesses, type WriteAccess } from './access.ts'
import { type ObjectStore, rewriteTree } from './rewrite.ts'
import type { GitChange, GitWriter } from './types.ts'

/** The longest silence of a server. */
const IDLE_MS = 60_000
const GITDIR = '/git'
const MINE = 'refs/heads/change'
/** How servers say that the branch was moved between our question and our push. */
const MOVED = /non-fast-forward|fetch first|failed to (?:update|lock) ref|cannot lock ref|incorrect old value|stale info/i
const MAX_SAID = 500

/** A writer for http(s) and ssh that works in the calling thread; `dispatchers` keeps its connections. */
export function createPusher(dispatchers: Dispatchers, now: () => number = Date.now): GitWriter {
  const accesses = createWriteAccesses(dispatchers, now)
  return {
    async push(remote, change, limits, signal) {
      checkBranch(change.branch)
      const limited = AbortSignal.any([signal, AbortSignal.timeout(limits.timeMs)])
      const idleMs = Math.max(IDLE_MS, remote.timeoutMs ?? 0)
      try {
        const access = await accesses.open(remote, { idleMs, maxBytes: limits.packBytes, signal: limited })
        try {
          return await unlessAborted(limited, commitAndPush(access, change, limits, now))
        } finally {
          access.close()
        }
      } catch (error) {
        signal.throwIfAborted()
        const failure = toGitError(limited.aborted ? limited.reason : error, remote.url)
        if (failure.kind === 'authentication') accesses.forget(remote)
        throw failure
      }
    },
  }
}

async function commitAndPush(access: WriteAccess, change: GitChange, limits: GitLimits, now: () => number): Promise<string | undefined> {
  const { reading, url, base: address } = access
  const { branch, base } = change
  const fs = createMemoryFs((path, data) => {
    if (path.endsWith('.pack')) scanPack(data, limits, url)
  })
  const store: ObjectStore = { fs, gitdir: GITDIR, dir: GITDIR, cache: {} }
  await git.init({ fs, dir: GITDIR, gitdir: GITDIR, bare: true })
  await git.setConfig({ fs, gitdir: GITDIR, path: 'remote.origin.url', value: address })
  await git.setConfig({ fs, gitdir: GITDIR, path: 'remote.origin.fetch', value: '+refs/heads/*:refs/remotes/origin/*' })
  const fetched = await git.fetch({
    ...store,
    http: withHead(reading),
    url: address,
    remote: 'origin',
    ref: branch,
    remoteRef: branch,
    singleBranch: true,
    depth: 1,
    tags: false,
  })
  if (fetched.fetchHead !== base) return undefined
  const commit = await writeCommit(store, change, url, now)
  return commit === base ? base : sendCommit(store, access, change, commit)
}

/** The commit with the new files, or `base` if they are what they were. */
async function writeCommit(store: ObjectStore, change: GitChange, url: string, now: () => number): Promise<string> {
  const { base, files, message, author } = change
  const { tree } = (await git.readCommit({ ...store, oid: base })).commit
  const next = await rewriteTree(store, tree, new Map(files.map(({ path, text }) => [path, text])))
  if ('missing' in next)
    throw new GitError('other', `the repository ${redactUrl(url)} has no file ${JSON.stringify(next.missing)} that could be written`)
  if (next.oid === tree) return base
  const who = {
    name: nameOf(author.name),
    email: nameOf(author.email),
    timestamp: Math.floor(now() / 1_000),
    timezoneOffset: 0,
  }
  const text = message.endsWith('\n') ? message : `${message}\n`
  return git.writeCommit({ ...store, commit: { message: text, tree: next.oid, parent: [base], author: who, committer: who } })
}

/** Names stand between angle brackets on a line of their own. */
function nameOf(text: string): string {
  return text.replace(/[<>\s\p{Cc}]+/gu, ' ').trim()
}

async function sendCommit(
  store: ObjectStore,
  { writing, url, base: address }: WriteAccess,
  { branch, base }: GitChange,
  commit: string,
): Promise<string | undefined> {
  await git.writeRef({ ...store, ref: MINE, value: commit, force: true })
  let said = ''
  let isMoved = false
  try {
    await git.push({
      ...store,
      http: writing,
      url: address,
      ref: MINE,
      remoteRef: `refs/heads/${branch}`,
      onMessage: (line) => {
        said = `${said} ${line}`.slice(0, MAX_SAID)
      },
      onPrePush: ({ remoteRef }) => {
        isMoved = remoteRef.oid !== base
        return !isMoved
      },
    })
    return commit
  } catch (error) {
    if (isMoved) return undefined
    const reason = refusalOf(error, branch)
    if (reason !== undefined && MOVED.test(reason)) return undefined
    if (reason !== undefined) throw refused(url, branch, `${reason}${said ? `, ${said}` : ''}`)
    throw cannotWrite(error, url)
  }
}

/** What the server says about the branch; undefined when it was not asked, or did not answer. */
function refusalOf(error: unknown, branch: string): string | undefined {
  if (!(error instanceof git.Errors.GitPushError)) return undefined
  const { error: whole, refs } = error.data.result
  return refs?.[`refs/heads/${branch}`]?.error || whole || 'without a reason'
}

function refused(url: string, branch: string, reason: string): GitError {
  return new GitError(
    'other',
    `the server of ${redactUrl(url)} refuses the push to branch ${branch} (${cleanText(reason)}): allow it, or name a branch that may be written to`,
  )
}

function cannotWrite(error: unknown, url: string): unknown {
  const failure = toGitError(error, url)
  if (failure.kind !== 'authentication') return error
  return new GitError('authentication', `the credentials may not push to ${redactUrl(url)}: give them the right to write, or use others`)
}
