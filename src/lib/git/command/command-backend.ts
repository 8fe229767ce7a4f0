// The backend on the git command: for what the default backend cannot do (submodules, large files, repositories that are too big for memory).
import { lstat, mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { withTempDir } from '../../exec/temp-dir.ts'
import { writeTree } from '../checkout.ts'
import { createDispatchers } from '../dispatchers.ts'
import { toGitError } from '../error-table.ts'
import { GitError } from '../errors.ts'
import { createGitHubAppTokens } from '../github-app.ts'
import { isCommitId } from '../refs.ts'
import { DEFAULT_GIT_LIMITS, type FetchOptions, type GitBackend, type GitLimits, type GitRef, type GitRemote } from '../types.ts'
import { redactUrl } from '../url.ts'
import { createPackBudget } from './budget.ts'
import type { GitCommand } from './find-git.ts'
import { gather } from './gather.ts'
import { type Job, openOrigin } from './origin.ts'
import { refsFor } from './refs.ts'
import { createRepository } from './repository.ts'

export interface CommandBackendOptions {
  readonly command: GitCommand
  /** Where folders for questions about refs are made; those of fetches are beside the folder that is written, whose owner clears up after a crash. */
  readonly tempDir: string
  readonly now?: (() => number) | undefined
}

/** A backend whose work is done by processes of git. */
export interface CommandBackend extends GitBackend {
  /** Closes connections. */
  close(): Promise<void>
}

const DEFAULT_TIMEOUT_MS = 30_000
/** The longest silence of a server that is sending a pack. */
const FETCH_IDLE_MS = 60_000
const PREFIX = '.git-'

/**
 * Like the default backend, with submodules and large files.
 * Submodules: at most 64, 5 levels deep; credentials go to the server of the repository only. Large files (git LFS) come from that server.
 */
export function createCommandBackend({ command, tempDir, now = Date.now }: CommandBackendOptions): CommandBackend {
  const dispatchers = createDispatchers()
  const tokens = createGitHubAppTokens(dispatchers, now)

  /** Runs `work` in a private folder, with a time limit and errors for the user. */
  async function within<T>(
    remote: GitRemote,
    { limits, idleMs, parent }: { limits: GitLimits; idleMs: number; parent: string },
    signal: AbortSignal,
    work: (job: Job, dir: string) => Promise<T>,
  ): Promise<T> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(limits.timeMs)])
    const job: Job = { command, dispatchers, tokens, limits, idleMs, budget: createPackBudget(limits), signal: limited }
    try {
      limited.throwIfAborted()
      return await withTempDir(parent, PREFIX, (dir) => work(job, dir))
    } catch (error) {
      signal.throwIfAborted()
      throw toGitError(limited.aborted ? limited.reason : error, remote.url)
    }
  }

  async function resolve(remote: GitRemote, ref: GitRef, signal: AbortSignal): Promise<string> {
    const wanted = refsFor(ref)
    if ('commit' in wanted) return wanted.commit
    const timeMs = remote.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const limits = { ...DEFAULT_GIT_LIMITS, timeMs }
    return within(remote, { limits, idleMs: timeMs, parent: tempDir }, signal, async (job, dir) => {
      const origin = await openOrigin(job, remote, dir)
      try {
        const refs = await createRepository(job, origin, dir).listRefs(wanted.names.flatMap((name) => [name, `${name}^{}`]))
        for (const name of wanted.names) {
          const found = refs.get(`${name}^{}`) ?? refs.get(name)
          if (found) return found
        }
      } finally {
        await origin.close()
      }
      throw new GitError(
        'unknown-ref',
        `commit not found for ${wanted.shown}: the repository ${redactUrl(remote.url)} has ${'tag' in ref ? 'no tag' : 'none'} of that name; create it or name another`,
      )
    })
  }

  async function fetch(remote: GitRemote, commit: string, into: string, options: FetchOptions, signal: AbortSignal): Promise<void> {
    const { limits, paths, onWritten } = options
    if (!isCommitId(commit)) throw new GitError('unknown-ref', `${JSON.stringify(commit.slice(0, 100))} is not a commit id`)
    if (commit.length > 40)
      throw new GitError(
        'protocol',
        `the repository ${redactUrl(remote.url)} uses SHA-256 for its objects, which is not supported; convert it to SHA-1`,
      )
    await mustNotExist(into)
    const idleMs = Math.max(FETCH_IDLE_MS, remote.timeoutMs ?? 0)
    const what = { remote, commit: commit.toLowerCase(), paths }
    await within(remote, { limits, idleMs, parent: dirname(into) }, signal, (job, dir) =>
      gather(job, what, dir, async (plan) => {
        await mkdir(into, { mode: 0o700 })
        try {
          const written = await writeTree(into, plan, { readBlob: plan.readBlob, limits, url: remote.url, signal: job.signal })
          onWritten?.(written)
        } catch (error) {
          await rm(into, { recursive: true, force: true, maxRetries: 3 })
          throw error
        }
      }),
    )
  }

  return { resolve, fetch, close: () => dispatchers.close() }
}

/** Checked before anything is asked of a server; whatever else is wrong with the path shows when it is created. */
async function mustNotExist(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found) throw new GitError('other', `${path} exists already; name a folder that does not`)
}
