// Brings the values in a repository to what image scans have found: read, decide, commit, push; again when somebody else was quicker.
import type { GitRepo } from '../api/git-repo.ts'
import { messageOf } from '../lib/controller/errors.ts'
import type { GitBackend, GitLimits } from '../lib/git/types.ts'
import type { GitWriter } from '../lib/git/write/types.ts'
import type { Checkouts } from '../source/checkouts.ts'
import type { GitAccess } from '../source/git-access.ts'
import { changedFiles } from './files.ts'
import { signatureOf } from './message.ts'
import type { Setting } from './setters.ts'

export interface WriteBackDeps {
  readonly backend: Pick<GitBackend, 'resolve'> & GitWriter
  readonly checkouts: Pick<Checkouts, 'acquire'>
  readonly limits: GitLimits
}

export interface WriteBackResult {
  /** What the branch is at now. */
  readonly commit: string
  /** What was written; empty if everything was as it should be. */
  readonly settings: readonly (Setting & { readonly path: string })[]
}

/** How often somebody else may be quicker. */
const TRIES = 4

/** `known` is a commit that needs no look. Throws TerminalError, GitError, or the reason of the signal. */
export async function writeBack(
  { backend, checkouts, limits }: WriteBackDeps,
  { spec }: GitRepo,
  { remote, ref, remoteId }: GitAccess,
  values: ReadonlyMap<string, string>,
  known: string | undefined,
  signal: AbortSignal,
): Promise<WriteBackResult> {
  const branch = 'branch' in ref ? ref.branch : ''
  const signature = signatureOf(spec.imageScanCommit ?? {})
  for (let tries = 1; tries <= TRIES; tries++) {
    const base = await backend.resolve(remote, { branch }, signal)
    if (base === known) return { commit: base, settings: [] }
    const files = await filesToWrite(base)
    if (files.length === 0) return { commit: base, settings: [] }
    const change = { branch, base, files: files.map(({ path, text }) => ({ path, text })), ...signature }
    const commit = await backend.push(remote, change, limits, signal)
    if (commit !== undefined) return { commit, settings: files.flatMap(({ path, settings }) => settings.map((one) => ({ ...one, path }))) }
  }
  throw new Error(`branch ${branch} was moved by others ${TRIES} times while new image versions were being committed: it is tried again`)

  async function filesToWrite(commit: string) {
    const checkout = await checkouts.acquire({ remoteId, remote, commit }, signal)
    try {
      return await changedFiles(checkout.root, pathsOf(spec), values, signal)
    } finally {
      checkout.release()
    }
  }
}

/** Where the GitRepo looks for bundles. */
function pathsOf({ paths, bundles }: GitRepo['spec']): string[] {
  const bases = (bundles ?? []).map(({ base }) => base ?? '')
  return bases.length > 0 ? bases : [...(paths ?? [])]
}

/** A message about writing that says so: errors of git speak of reading. */
export function writeBackMessage(error: unknown): string {
  return `new image versions could not be written back: ${messageOf(error)}`
}
