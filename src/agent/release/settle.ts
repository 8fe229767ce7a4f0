// Once after a start: revisions that the process before us left pending. Whoever deploys takes over what it finds, but a correction that was interrupted
// is not repeated when the objects are right already, and would stay pending for ever.
import type { Logger } from '../../lib/controller/log.ts'
import type { ReleaseRef, RevisionRef, RevisionSummary } from './engine.ts'
import { takeOver } from './interrupted.ts'
import type { ReleaseStore } from './store.ts'

export interface SettleOptions {
  readonly store: ReleaseStore
  /** The release was deployed by an agent of this namespace. */
  isOurs(revision: RevisionRef): Promise<boolean>
  readonly log: Logger
}

/** Says of our pending revisions that they were interrupted. Must begin before anything is deployed: what is pending later is being worked on. */
export async function settleInterrupted({ store, isOurs, log }: SettleOptions, signal: AbortSignal): Promise<void> {
  for (const revision of store.newest().filter(isPending)) {
    if (signal.aborted) return
    const release = `${revision.namespace}/${revision.name}`
    try {
      if (!(await isOurs(revision))) continue
      const current = await store.status(revision)
      if (current?.version !== revision.version) continue
      await takeOver(store, current)
      log.info({ release, version: revision.version, state: revision.state }, 'revision that was left pending counts as failed')
    } catch (error) {
      log.warn({ release, err: error }, 'revision that was left pending cannot be marked')
    }
  }
}

/** The same for one release that nobody works on: what failed may have failed to say so, too. No request unless the cache has a pending revision. */
export async function settleRelease(store: ReleaseStore, release: ReleaseRef): Promise<void> {
  if (!isPending(store.history(release).at(-1))) return
  const current = await store.status(release)
  if (current && isPending(current)) await takeOver(store, current)
}

function isPending(revision: RevisionSummary | undefined): boolean {
  return revision?.state.startsWith('pending-') ?? false
}
