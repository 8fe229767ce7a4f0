// What this stage hands on: the files of a commit, to whoever makes bundles of them.
import type { GitRepo } from '../api/git-repo.ts'

/** The files of a commit. */
export interface SourceSnapshot {
  readonly commit: string
  /** Folder with the files. Other GitRepos read it at the same time: nothing in it may be changed. Valid until `publish` has returned. */
  readonly root: string
}

/** What became of a snapshot. */
export interface PublishResult {
  /** Number of bundles the GitRepo has now. */
  readonly bundles: number
}

/** Makes bundles of snapshots; implemented by the next stage. */
export interface Publisher {
  /**
   * Brings the GitRepo's bundles to what the snapshot says, and removes those that it no longer contains. Calling it again with the same arguments changes nothing.
   * Throws TerminalError with a sentence for the user (file and line, if there are any) when the content has to change, WaitingError when a named thing is missing;
   * anything else is tried again.
   */
  publish(gitRepo: GitRepo, snapshot: SourceSnapshot, signal: AbortSignal): Promise<PublishResult>
  /** Starts deleting all bundles of the GitRepo and what belongs to them. `remaining`: how many are not gone yet. */
  remove(gitRepo: GitRepo): Promise<{ remaining: number }>
}
