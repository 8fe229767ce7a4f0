import type { KubeClient } from '../kube/client.ts'
import { isConflict } from '../kube/errors.ts'
import { refOf } from '../kube/paths.ts'
import type { KubeObject } from '../kube/types.ts'

const ATTEMPTS = 5

/**
 * Runs `write` for the newest version of an object: first for the one that is known, and after a conflict for the one that the API server has; five times at
 * the most, then the conflict is thrown. Returns what `write` returned, undefined if the object is gone or another one has its name by now.
 */
export async function onNewest<T extends KubeObject, R>(
  client: Pick<KubeClient, 'find'>,
  known: T,
  write: (newest: T) => Promise<R>,
): Promise<R | undefined> {
  let newest: T = known
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(newest)
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
      const live = await client.find<T>(refOf(known))
      if (!live || live.metadata.uid !== known.metadata.uid) return undefined
      newest = live
    }
  }
}
