// Removing a release without helm.
import type { Clock } from '../../lib/controller/clock.ts'
import type { ReleaseAccess, ReleaseRef, UninstallSettings } from './engine.ts'
import { distinct } from './identity.ts'
import { objectsOf } from './reader.ts'
import { createRecords } from './records.ts'
import { isKept, removeObjects } from './remove-objects.ts'
import type { ReleaseStore } from './store.ts'

/** True when the release has hooks, which only helm can run; then nothing was done. */
export async function nativeUninstall(
  { store, clock }: { store: ReleaseStore; clock: Clock },
  release: ReleaseRef,
  access: ReleaseAccess,
  { signal, keepHistory = false }: UninstallSettings,
): Promise<boolean> {
  const revisions = await store.revisions(release)
  const newest = revisions.at(-1)
  const stored = newest && (await store.load(newest))
  if (!newest || !stored) return false
  if (stored.release.hooks?.length) return true
  const records = createRecords(access.client, clock)
  // after an upgrade that failed, what was deployed before it is still there
  const deployed = revisions.filter(({ state, version }) => state === 'deployed' && version !== newest.version)
  const older = (await Promise.all(deployed.map((revision) => store.load(revision)))).filter((each) => each !== undefined)
  const deleted = new Date(clock.now()).toISOString()
  if (newest.state !== 'uninstalled') {
    await records.mark(stored, 'uninstalling', { deleted, description: 'Deletion in progress (or silently failed)' })
    const objects = [stored, ...older].flatMap((each) => objectsOf(each.release)).filter((object) => !isKept(object))
    await removeObjects(access.client, distinct(objects, release.namespace), { release, signal })
  }
  if (!keepHistory) {
    // the newest record goes last: it is what brings us back here after a crash
    for (const revision of revisions) await records.remove(revision)
    return false
  }
  if (newest.state === 'uninstalled') return false
  for (const each of older) await records.supersede(each)
  await records.mark(stored, 'uninstalled', { deleted, description: 'Uninstallation complete' })
  return false
}
