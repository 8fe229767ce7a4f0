// What the main thread and the git worker say to each other.
import type { GitErrorData } from './errors.ts'
import type { FetchOptions, GitLimits, GitRef, GitRemote } from './types.ts'
import type { GitChange } from './write/types.ts'
import type { WrittenFiles } from './written-files.ts'

/** One call of a backend, or of a writer. */
export type GitJob =
  | { readonly kind: 'resolve'; readonly remote: GitRemote; readonly ref: GitRef }
  | {
      readonly kind: 'fetch'
      readonly remote: GitRemote
      readonly commit: string
      readonly into: string
      readonly options: Pick<FetchOptions, 'paths' | 'limits'>
      /** What was written is answered. */
      readonly isDescribed: boolean
    }
  | { readonly kind: 'push'; readonly remote: GitRemote; readonly change: GitChange; readonly limits: GitLimits }

/** What a job comes to: a commit, or what a fetch has written. */
export type WorkerValue = string | WrittenFiles | undefined

/** To the worker. */
export type WorkerRequest = { readonly id: number; readonly job: GitJob } | { readonly id: number; readonly cancel: true }

/** From the worker: one answer a job. A cancelled job is answered too, when it has ended. */
export type WorkerAnswer =
  | { readonly id: number; readonly value: WorkerValue }
  | { readonly id: number; readonly error: GitErrorData }
  | { readonly id: number; readonly cancelled: true }
