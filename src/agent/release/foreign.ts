// Before a release is removed: objects that another release has taken over since must not go with it. Helm deletes by name and does not look.
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { formatObjects, parseObjects } from '../render/objects.ts'
import type { ReleaseRef } from './engine.ts'
import { belongsToOther } from './ownership.ts'
import { placeOf } from './place.ts'
import type { ReleaseStore } from './store.ts'

const PARALLEL = 16

/** Takes objects that carry the mark of another release out of the newest revision, which is what Helm removes. */
export async function releaseForeign(store: ReleaseStore, client: KubeClient, release: ReleaseRef): Promise<void> {
  const newest = (await store.revisions(release)).at(-1)
  const stored = newest && (await store.read(newest))
  if (!stored) return
  const objects = parseObjects(stored.manifest ?? '', `release ${release.namespace}/${release.name}`)
  const foreign = await inParallel(objects, PARALLEL, (object) => isForeign(client, object, release))
  if (!foreign.some(Boolean)) return
  await store.write({ ...stored, manifest: formatObjects(objects.filter((_, index) => !foreign[index])) })
}

async function isForeign(client: KubeClient, object: KubeObject, release: ReleaseRef): Promise<boolean> {
  const ref = await placeOf(client, object, release.namespace)
  const live = ref && (await client.find<KubeObject>(ref))
  return live !== undefined && belongsToOther(live, release)
}
