// What this stage hands on: the files of a commit, to whoever makes bundles of them.
import type { GitRepo } from '../api/git-repo.ts'
import type { TraceRecorder } from './read-trace.ts'

/** The files of a commit. */
export interface SourceSnapshot {
  readonly commit: string
  /** Folder with the files. Other GitRepos read it at the same time: nothing in it may be changed. Valid until `publish` has returned. */
  readonly root: string
  /** Wants to know of each look at the files, and of everything else that the bundles depend on and that may change without the GitRepo. */
  readonly trace?: TraceRecorder | undefined
}

/** What became of a snapshot. */
export interface PublishResult {
  /** Number of bundles the GitRepo has now. */
  readonly bundles: number
  /**
   * Stands for all that publishing has left behind and somebody may change, but for what tells the commit. Undefined when that cannot be said in short, as long as
   * others have not caught up.
   */
  readonly left?: string | undefined
}

/** Makes bundles of snapshots; implemented by the next stage. */
export interface Publisher {
  /**
   * Brings the GitRepo's bundles to what the snapshot says, and removes those that it no longer contains. Calling it again with the same arguments changes nothing.
   * Throws TerminalError with a sentence for the user (file and line, if there are any) when the content has to change, WaitingError when a named thing is missing;
   * anything else is tried again.
   */
  publish(gitRepo: GitRepo, snapshot: SourceSnapshot, signal: AbortSignal): Promise<PublishResult>
  /**
   * For a commit that makes the same bundles as the last one that was published: writes what tells the commit, and nothing else. Undefined, with nothing lost, when
   * the state is no longer the one that `left` stands for: the commit has to be published.
   */
  advance?(
    gitRepo: GitRepo,
    to: { readonly commit: string; readonly left: string },
    signal: AbortSignal,
  ): Promise<PublishResult | undefined>
  /** Starts deleting all bundles of the GitRepo and what belongs to them. `remaining`: how many are not gone yet. */
  remove(gitRepo: GitRepo): Promise<{ remaining: number }>
}
