// What the rest of the program knows about writing to repositories.
import type { GitLimits, GitRemote } from '../types.ts'

/** A commit to be made on top of a branch. */
export interface GitChange {
  readonly branch: string
  /** The commit that the files come from; the branch has to be there still. */
  readonly base: string
  /** Files that are there already, with their new text. Paths are relative to the top, with `/`. */
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly author: { readonly name: string; readonly email: string }
  readonly message: string
}

/** Writes to repositories. */
export interface GitWriter {
  /**
   * Commits the change and pushes it. Returns the id of the commit; undefined when the branch is not at `base` any more: then nothing was written.
   * Everything else but these files stays as it is. All errors are GitErrors, but for an aborted signal, whose reason is thrown.
   */
  push(remote: GitRemote, change: GitChange, limits: GitLimits, signal: AbortSignal): Promise<string | undefined>
}
