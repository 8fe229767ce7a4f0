// What every engine answers from the records alone, for all of them store revisions as Helm does.
import { inParallel } from '../../lib/controller/parallel.ts'
import type { HelmRelease } from '../../lib/helm/release.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { parseObjects } from '../render/objects.ts'
import type { ReleaseEngine, RevisionSummary } from './engine.ts'
import type { ReleaseStore } from './store.ts'

/** How many records are removed at a time. */
const PARALLEL = 8

export function reader(store: ReleaseStore): Pick<ReleaseEngine, 'status' | 'history' | 'read' | 'forget'> {
  return {
    status: (release) => store.status(release),
    history: (release) => store.history(release),
    async read(revision) {
      const stored = await store.read(revision)
      return stored && { ...revision, objects: objectsOf(stored) }
    },
    async forget(release) {
      await inParallel(await store.revisions(release), PARALLEL, (revision) => store.remove(revision))
    },
  }
}

/** The objects of a revision, without hooks. */
export function objectsOf({ manifest = '', namespace, name }: HelmRelease): KubeObject[] {
  return parseObjects(manifest, `release ${namespace}/${name}`)
}

/** The revisions that go when another one comes and `maxHistory` are to stay: the oldest ones, but never the one that is deployed. */
export function outdated(revisions: readonly RevisionSummary[], maxHistory: number): RevisionSummary[] {
  if (maxHistory <= 0) return []
  const deployed = revisions.findLast(({ state }) => state === 'deployed')
  const excess = revisions.length - (maxHistory - 1)
  return revisions.filter((revision) => revision !== deployed).slice(0, Math.max(excess, 0))
}
