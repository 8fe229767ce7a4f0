// What the controller remembers of a HelmOp while it runs. After a restart its bundle and its status tell enough.
import type { Bundle } from '../api/bundle.ts'
import type { HelmOp } from '../api/helm-op.ts'
import { isOlderVersion } from '../lib/kube/resource-version.ts'
import type { KubeObject } from '../lib/kube/types.ts'

export interface HelmOpMemory {
  readonly uid: string
  /** The answer to our last write: the cache may lag behind it. */
  written: HelmOp | undefined
  /** The bundle as we wrote it last; only what the cache has overtaken counts for less. */
  bundle: Bundle | undefined
  /** The question that has no answer yet: for which generation and access, since when, and how often it was asked in vain. */
  question: { readonly id: string; since: number; failures: number; retryAt: number | undefined } | undefined
  /** There is no version yet, and no answer, since then. */
  askingSince: number | undefined
  /** `lastPollingTriggered` has not been written since, in milliseconds. */
  recordedAt: number
}

export interface HelmOpMemories {
  /** The memory of this very object: one that was deleted and made again begins anew. */
  of(key: string, helmOp: HelmOp, now: number): HelmOpMemory
  forget(key: string): void
}

export function createMemories(): HelmOpMemories {
  const memories = new Map<string, HelmOpMemory>()
  return {
    of(key, { metadata }, now) {
      const uid = metadata.uid ?? ''
      const known = memories.get(key)
      if (known?.uid === uid) return known
      const memory: HelmOpMemory = {
        uid,
        written: undefined,
        bundle: undefined,
        question: undefined,
        askingSince: undefined,
        recordedAt: now,
      }
      memories.set(key, memory)
      return memory
    },
    forget: (key) => void memories.delete(key),
  }
}

/** The newest known version: what the cache has, or what our last write was answered with. */
export function newest<T extends KubeObject>(cached: T, written: T | undefined): T {
  return written && isOlderVersion(cached.metadata.resourceVersion, written.metadata.resourceVersion) ? written : cached
}
