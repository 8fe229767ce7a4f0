// What the main thread and the git worker say to each other.
import type { GitErrorData } from './errors.ts'
import type { FetchOptions, GitLimits, GitRef, GitRemote } from './types.ts'
import type { GitChange } from './write/types.ts'

/** One call of a backend, or of a writer. */
export type GitJob =
  | { readonly kind: 'resolve'; readonly remote: GitRemote; readonly ref: GitRef }
  | { readonly kind: 'fetch'; readonly remote: GitRemote; readonly commit: string; readonly into: string; readonly options: FetchOptions }
  | { readonly kind: 'push'; readonly remote: GitRemote; readonly change: GitChange; readonly limits: GitLimits }

/** To the worker. */
export type WorkerRequest = { readonly id: number; readonly job: GitJob } | { readonly id: number; readonly cancel: true }

/** From the worker: one answer a job. A cancelled job is answered too, when it has ended. */
export type WorkerAnswer =
  | { readonly id: number; readonly value: string | undefined }
  | { readonly id: number; readonly error: GitErrorData }
  | { readonly id: number; readonly cancelled: true }
