// What the controller remembers of a GitRepo while it runs. After a restart the status tells enough.
import type { GitRepo } from '../api/git-repo.ts'
import { isOlderVersion } from '../lib/kube/resource-version.ts'
import type { Attempt } from './decide.ts'
import type { PushHint } from './push-hint.ts'

export interface RepoMemory {
  readonly uid: string
  /** The answer to our last write: the cache may lag behind it. */
  written: GitRepo | undefined
  attempt: Attempt | undefined
  /** What the user asks for; when it changes, earlier polls do not count. */
  request: string
  freshSince: number
  /** A push that the server has not been asked about, or does not show yet. */
  hint: PushHint | undefined
  /** `lastPollingTriggered` has not been written since, in milliseconds. */
  recordedAt: number
  /** Aborts the reading under way. */
  reading: { readonly generation: number; readonly abort: AbortController } | undefined
  /** It is being deleted, and its bundles were not gone at first look. */
  isLeaving: boolean
}

export interface RepoMemories {
  /** The memory of this very object: one that was deleted and made again begins anew. */
  of(key: string, gitRepo: GitRepo, now: number): RepoMemory
  find(key: string): RepoMemory | undefined
  forget(key: string): void
}

export function createRepoMemories(): RepoMemories {
  const memories = new Map<string, RepoMemory>()
  return {
    of(key, { metadata }, now) {
      const uid = metadata.uid ?? ''
      const known = memories.get(key)
      if (known?.uid === uid) return known
      const memory: RepoMemory = {
        uid,
        written: undefined,
        attempt: undefined,
        request: '',
        freshSince: Number.NEGATIVE_INFINITY,
        hint: undefined,
        recordedAt: now,
        reading: undefined,
        isLeaving: false,
      }
      memories.set(key, memory)
      return memory
    },
    find: (key) => memories.get(key),
    forget: (key) => void memories.delete(key),
  }
}

/** The newest known version: what the cache has, or what our last write was answered with. */
export function newest(cached: GitRepo, { written }: RepoMemory): GitRepo {
  return written && isOlderVersion(cached.metadata.resourceVersion, written.metadata.resourceVersion) ? written : cached
}
