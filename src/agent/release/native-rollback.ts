// Bringing the objects of a release back to what a revision says, without helm.
import type { Clock } from '../../lib/controller/clock.ts'
import type { Slots } from '../../lib/exec/slots.ts'
import { HelmError } from '../../lib/helm/errors.ts'
import type { HelmRelease } from '../../lib/helm/release.ts'
import type { ReleaseAccess, Revision, RevisionRef, RevisionSummary, RollbackSettings } from './engine.ts'
import { absentFrom } from './place.ts'
import { objectsOf, outdated } from './reader.ts'
import { createRecords, type Records } from './records.ts'
import { removeObjects } from './remove-objects.ts'
import { customLabels, type ReleaseStore, type Stored } from './store.ts'
import { writeObjects } from './write-objects.ts'

/** The new revision; undefined when the revision has hooks, which only helm can run: then nothing was done. */
export async function nativeRollback(
  { store, slots, clock }: { store: ReleaseStore; slots: Slots; clock: Clock },
  revision: RevisionRef,
  settings: RollbackSettings,
  access: ReleaseAccess,
  signal?: AbortSignal,
): Promise<Revision | undefined> {
  const { namespace, name, version } = revision
  const release = { namespace, name }
  const revisions = await store.revisions(release)
  const newest = revisions.at(-1)
  const target = await store.load(revision)
  if (!newest || !target) throw new HelmError('release-not-found', `release: not found: ${namespace}/${name} has no revision ${version}`)
  if (target.release.hooks?.length) return undefined
  const deployed = revisions.filter(({ state }) => state === 'deployed')
  const before = await loadAll(store, deployed, target)
  const [last] = await loadAll(store, deployed.includes(newest) ? [] : [newest], target)
  const records = createRecords(access.client, clock)
  await settle(store, records, revisions)
  for (const old of outdated(revisions, settings.maxHistory)) await records.remove(old)

  const objects = objectsOf(target.release)
  const content = restored(target.release, {
    ...settings,
    version: newest.version + 1,
    first: target.release.info.first_deployed,
    now: clock.now(),
  })
  const record = await records.create(content, customLabels(target.secret))
  const superseded: Stored[] = []
  try {
    const mode = settings.force ? 'replace' : 'apply'
    const wasUpdated = [target, ...before].some((stored) => stored.release.apply_method !== 'ssa')
    await writeObjects(access.client, objects, { release, mode, wasUpdated, separator: ' && ', slots, clock, signal })
    const present = [...before, ...(last ? [last] : [])].flatMap((stored) => objectsOf(stored.release))
    await removeObjects(access.client, await absentFrom(access.client, present, objects, namespace), { release, signal })
    for (const stored of before) {
      superseded.push(stored)
      await records.supersede(stored)
    }
    await records.mark(record, 'deployed')
  } catch (error) {
    signal?.throwIfAborted() // stays pending, the next start settles it
    if (settings.keepFailHistory) await records.fail(record, `Rollback "${name}" failed`, error)
    else await records.remove(content)
    for (const stored of superseded) await records.mark(stored, 'deployed')
    throw error
  }
  return { ...release, version: content.version, objects }
}

async function loadAll(store: ReleaseStore, revisions: readonly RevisionSummary[], known: Stored): Promise<Stored[]> {
  const loaded = await Promise.all(revisions.map((revision) => (revision.version === known.release.version ? known : store.load(revision))))
  return loaded.filter((stored) => stored !== undefined)
}

/** What an earlier process did not finish did not come about. */
async function settle(store: ReleaseStore, records: Records, revisions: readonly RevisionSummary[]): Promise<void> {
  for (const revision of revisions.filter(({ state }) => state.startsWith('pending-'))) {
    const stored = await store.load(revision)
    if (stored) await records.mark(stored, 'failed', { description: `${revision.state} was interrupted` })
  }
}

function restored(
  target: HelmRelease,
  { version, first, now, force }: { version: number; first: unknown; now: number; force: boolean },
): HelmRelease {
  const at = new Date(now).toISOString()
  const { notes } = target.info
  const info = {
    first_deployed: first ?? at,
    last_deployed: at,
    description: `Rollback to ${target.version}`,
    status: 'pending-rollback' as const,
    ...(notes === undefined ? {} : { notes }),
  }
  return { ...target, version, info, apply_method: force || target.apply_method !== 'ssa' ? 'csa' : 'ssa' }
}
