// Taking over from the agent of Go Fleet, which applied under a field manager of its own: fields that only it owns would stay for ever.
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isConflict } from '../../lib/kube/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { placeOf } from './place.ts'

const FORMER_MANAGER = 'fleetagent'
const PARALLEL = 16

/** Makes the former manager give up all fields of objects that were just applied under ours; what nobody else wants goes. */
export async function relinquish(client: KubeClient, objects: readonly KubeObject[], namespace: string): Promise<void> {
  await inParallel(objects, PARALLEL, async (object) => {
    const ref = await placeOf(client, object, namespace)
    if (!ref) return
    const live = await client.find<KubeObject>(ref)
    if (!live?.metadata.uid) return
    const { apiVersion, kind, name, namespace: place } = ref
    const nothing = { apiVersion, kind, metadata: { name, uid: live.metadata.uid, ...(place ? { namespace: place } : {}) } }
    try {
      await client.apply(nothing, { fieldManager: FORMER_MANAGER, force: true })
    } catch (error) {
      if (!isConflict(error)) throw error // made anew meanwhile: then the former manager has no part in it
    }
  })
}
