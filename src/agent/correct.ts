// Undoes changes that others made to deployed objects (spec 7.8): a rollback of the release to the version that is deployed.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { Accounts } from './accounts.ts'
import { restoration } from './decide.ts'
import type { LiveState } from './monitor/types.ts'
import type { ReleaseAccess, ReleaseEngine, ReleaseRef, Revision, RevisionRef, RollbackSettings } from './release/engine.ts'

export interface CorrectorOptions {
  accounts: Accounts
  engine: ReleaseEngine
  /** Says of a revision that is still pending that it was interrupted. */
  settle(release: ReleaseRef): Promise<void>
  clock: Clock
}

export interface Corrector {
  /**
   * Puts back what is modified, if it is time to (see `restoration`). Returns the new revision, or undefined when there is nothing to do or the last attempt failed lately.
   * Throws when the cluster refuses.
   */
  correct(
    key: string,
    deployment: BundleDeployment,
    release: RevisionRef,
    live: LiveState,
    signal: AbortSignal,
  ): Promise<Revision | undefined>
  /** Milliseconds until a correction that failed may be tried again. */
  retryInMs(key: string): number | undefined
  /** Why the last correction failed. */
  lastError(key: string): Error | undefined
  forget(key: string): void
}

interface Attempt {
  what: string
  failures: number
  again: number
  error: Error
}

const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 600_000
const MAX_HISTORY = 2

export function createCorrector({ accounts, engine, settle, clock }: CorrectorOptions): Corrector {
  const failed = new Map<string, Attempt>()

  async function correct(
    key: string,
    deployment: BundleDeployment,
    release: RevisionRef,
    live: LiveState,
    signal: AbortSignal,
  ): Promise<Revision | undefined> {
    const { correctDrift, options } = deployment.spec
    if (restoration(deployment, live) !== 'now') {
      // the last attempt got as far as the objects, or somebody else mended them: nobody will touch its record any more
      if (failed.has(key)) await settle(release)
      failed.delete(key)
      return undefined
    }
    const what = JSON.stringify([release, correctDrift, live.modifiedStatus])
    const last = failed.get(key)
    if (last?.what === what && clock.now() < last.again) return undefined
    try {
      const access = await accounts.access(options?.serviceAccount)
      const settings = {
        force: correctDrift?.force ?? false,
        keepFailHistory: correctDrift?.keepFailHistory ?? false,
        maxHistory: options?.helm?.maxHistory || MAX_HISTORY,
      }
      const restored = await rollback(release, settings, access, signal)
      failed.delete(key)
      return restored
    } catch (error) {
      const failures = last?.what === what ? last.failures + 1 : 1
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS)
      failed.set(key, { what, failures, again: clock.now() + pause, error: error instanceof Error ? error : new Error(String(error)) })
      throw error
    }
  }

  /** Some objects can't be replaced as a whole (a Job, a bound claim); that must not keep the others from being restored. */
  async function rollback(release: RevisionRef, settings: RollbackSettings, access: ReleaseAccess, signal: AbortSignal): Promise<Revision> {
    try {
      return await engine.rollback(release, settings, access, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!settings.force) throw error
      try {
        return await engine.rollback(release, { ...settings, force: false }, access, signal)
      } catch {
        signal.throwIfAborted()
        throw error // what the user has asked for is what the message should be about
      }
    }
  }

  return {
    correct,
    retryInMs: (key) => {
      const last = failed.get(key)
      return last && Math.max(last.again - clock.now(), 1_000)
    },
    lastError: (key) => failed.get(key)?.error,
    forget: (key) => void failed.delete(key),
  }
}
