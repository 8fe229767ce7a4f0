// What an agent that died in the middle of an operation leaves behind: a revision that stays pending, and objects of it that nobody tracks.
import { SET_HASH_LABEL } from '../../api/labels.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseObjects } from '../render/objects.ts'
import type { ReleaseStatus } from './engine.ts'
import { without } from './identity.ts'
import { placeOf } from './place.ts'
import { isKept } from './remove-objects.ts'
import type { ReleaseStore } from './store.ts'

const PARALLEL = 16

/**
 * Makes the newest revision one that Helm upgrades from: what is pending counts as failed. Returns the objects of a revision that did not get to its end;
 * Helm compares with the one before it, so it would forget them.
 */
export async function takeOver(store: ReleaseStore, current: ReleaseStatus): Promise<KubeObject[]> {
  const isPending = current.state.startsWith('pending-')
  if (!isPending && current.state !== 'failed') return []
  const stored = await store.read(current)
  if (!stored) return []
  if (isPending)
    await store.write({ ...stored, info: { ...stored.info, status: 'failed', description: `${current.state} was interrupted` } })
  return parseObjects(stored.manifest ?? '', `release ${current.namespace}/${current.name}`)
}

/** The abandoned objects that the new revision no longer has. */
export function leftovers(abandoned: readonly KubeObject[], objects: readonly KubeObject[], namespace: string): KubeObject[] {
  return without(abandoned, objects, namespace).filter((object) => !isKept(object))
}

/** Deletes leftovers that still carry the mark of our set; what somebody else took over stays. */
export async function removeLeftovers(client: KubeClient, objects: readonly KubeObject[], namespace: string): Promise<void> {
  await inParallel(objects, PARALLEL, async (object) => {
    const ref = await placeOf(client, object, namespace)
    const live = ref && (await client.find<KubeObject>(ref))
    const hash = object.metadata.labels?.[SET_HASH_LABEL]
    if (!live || hash === undefined || live.metadata.labels?.[SET_HASH_LABEL] !== hash) return
    await client.delete(ref, { propagationPolicy: 'Background', ...(live.metadata.uid ? { uid: live.metadata.uid } : {}) })
  })
}
