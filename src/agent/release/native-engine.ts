// The engine that writes objects itself: no helm process, one request an object. What needs Helm's own features goes to the helm engine behind it.
// Read `deploy` from the top. The record of a revision is pending while it works; whatever is left pending is taken over by the next operation.
import type { Clock } from '../../lib/controller/clock.ts'
import { createSlots } from '../../lib/exec/slots.ts'
import { HelmError } from '../../lib/helm/errors.ts'
import type { ReleaseState } from '../../lib/helm/release.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { checkKinds } from './bundle-kinds.ts'
import { chooseEngine, type EngineChoice } from './choose.ts'
import { claim } from './claim.ts'
import {
  type DeployRequest,
  isRemoved,
  type ReleaseAccess,
  type ReleaseEngine,
  type ReleaseStatus,
  type Revision,
  type RevisionRef,
  type RevisionSummary,
} from './engine.ts'
import { distinct } from './identity.ts'
import { leftovers, takeOver } from './interrupted.ts'
import { nativeRollback } from './native-rollback.ts'
import { nativeUninstall } from './native-uninstall.ts'
import { absentFrom } from './place.ts'
import { objectsOf, outdated, reader } from './reader.ts'
import { createRecords, newRelease, type Records } from './records.ts'
import { removeObjects } from './remove-objects.ts'
import { type ReleaseStore, releaseLabels, type Stored } from './store.ts'
import { writeObjects } from './write-objects.ts'

/** Revisions that failed one after the other whose objects are remembered. */
const MAX_UNFINISHED = 10
/** Objects that are written at a time; twice the connections of a client. */
const WRITES = 32

export interface NativeEngineOptions {
  store: ReleaseStore
  /** Takes what needs Helm. */
  helm: ReleaseEngine
  choice: Exclude<EngineChoice, 'helm'>
  clock: Clock
}

/** What stands in the cluster before a revision is deployed. */
interface Before {
  readonly version: number
  /** The revisions in effect; the objects of the last one are what the new revision replaces. */
  readonly deployed: readonly Stored[]
  readonly objects: readonly KubeObject[]
  /** What revisions that did not get to their end had beyond that, and nobody wants any more. */
  readonly abandoned: readonly KubeObject[]
  /** Their records, which are needed until those objects are gone. */
  readonly surplus: readonly RevisionRef[]
  /** Some objects may have been written by a client. */
  readonly wasUpdated: boolean
  readonly first: unknown
}

const NOTHING: Before = { version: 0, deployed: [], objects: [], abandoned: [], surplus: [], wasUpdated: false, first: undefined }

export function createNativeEngine({ store, helm, choice, clock }: NativeEngineOptions): ReleaseEngine {
  const slots = createSlots(WRITES)

  async function deploy(request: DeployRequest, access: ReleaseAccess, signal?: AbortSignal): Promise<Revision> {
    if (chooseEngine(request, choice) === 'helm') return helm.deploy(request, access, signal)
    const { client } = access
    const { release, rendered, current } = request
    const records = createRecords(client, clock)
    if (current?.state === 'uninstalling') await uninstall(release, access, { signal })
    const isFirst = isRemoved(current)
    await checkKinds(client, rendered.manifests)
    if (!current || isFirst) await claim(client, request)
    const before = !current || current.state === 'uninstalling' ? NOTHING : await prepare(request, current, records)
    signal?.throwIfAborted()

    const state = !current || isFirst ? 'pending-install' : 'pending-upgrade'
    const labels = releaseLabels(request.owner.bundleId, request.deployment)
    const content = newRelease(request, { version: before.version + 1, state, first: before.first, now: clock.now() })
    const record = await records.create(content, labels)
    try {
      await bringAbout(request, before, client, records, signal)
    } catch (error) {
      signal?.throwIfAborted() // stays pending, the next start takes it over
      await records.fail(record, `${state === 'pending-install' ? 'Release' : 'Upgrade'} "${release.name}" failed`, error)
      throw error
    }
    for (const stored of before.deployed) await records.supersede(stored)
    await records.mark(record, 'deployed', { description: state === 'pending-install' ? 'Install complete' : 'Upgrade complete' })
    return { ...release, version: content.version, objects: rendered.manifests }
  }

  /** Reads what stands in the cluster, and makes room in the history. */
  async function prepare(request: DeployRequest, current: ReleaseStatus, records: Records): Promise<Before> {
    const { release, rendered, settings } = request
    const newest = await store.load(current)
    if (!newest)
      throw new HelmError('in-progress', `revision ${current.version} of release ${release.namespace}/${release.name} is being changed`)
    await takeOver(store, current)
    const revisions = current.state === 'deployed' && current.version < settings.maxHistory ? [current] : await store.revisions(release)
    const load = async (wanted: (revision: RevisionSummary) => boolean): Promise<Stored[]> => {
      const read = revisions.filter(wanted).map((revision) => (revision.version === current.version ? newest : store.load(revision)))
      return (await Promise.all(read)).filter((stored) => stored !== undefined)
    }
    const deployed = await load(({ state }) => state === 'deployed')
    const base = deployed.at(-1) ?? (current.state === 'superseded' ? newest : undefined)
    const objects = base ? objectsOf(base.release) : []
    const unfinished = await load(({ version, state }) => version > (base?.release.version ?? 0) && isUnfinished(state))
    const abandoned = unfinished.slice(-MAX_UNFINISHED).map((stored) => {
      const forgotten = leftovers(objectsOf(stored.release), [...rendered.manifests, ...objects], release.namespace)
      return { version: stored.release.version, objects: forgotten }
    })
    const needed = new Set(abandoned.filter((revision) => revision.objects.length > 0).map(({ version }) => version))
    const surplus = outdated(revisions, settings.maxHistory)
    for (const revision of surplus) if (!needed.has(revision.version)) await records.remove(revision)
    return {
      version: current.version,
      deployed: current.state === 'uninstalled' ? [newest] : deployed,
      objects,
      abandoned: abandoned.flatMap((revision) => revision.objects),
      surplus: surplus.filter(({ version }) => needed.has(version)),
      wasUpdated: [newest, base].some((stored) => stored && stored.release.apply_method !== 'ssa'),
      first: newest.release.info.first_deployed,
    }
  }

  async function bringAbout(
    request: DeployRequest,
    before: Before,
    client: KubeClient,
    records: Records,
    signal?: AbortSignal,
  ): Promise<void> {
    const { release, rendered, settings } = request
    const separator = before.version === 0 ? '\n' : ' && '
    const mode = settings.force ? 'replace' : 'apply'
    await writeObjects(client, rendered.manifests, { release, mode, wasUpdated: before.wasUpdated, separator, slots, clock, signal })
    const absent = (objects: readonly KubeObject[]) => absentFrom(client, objects, rendered.manifests, release.namespace)
    await removeObjects(client, await absent(before.objects), { release, signal })
    await removeObjects(client, await absent(distinct(before.abandoned, release.namespace)), { release, signal, onlyMarked: true })
    for (const revision of before.surplus) await records.remove(revision)
  }

  const uninstall: ReleaseEngine['uninstall'] = async (release, access, options = {}) => {
    const needsHelm = await nativeUninstall({ store, clock }, release, access, options)
    if (needsHelm) await helm.uninstall(release, access, options)
  }

  return {
    ...reader(store),
    deploy,
    uninstall,
    async rollback(revision, settings, access, signal) {
      return (
        (await nativeRollback({ store, slots, clock }, revision, settings, access, signal)) ??
        helm.rollback(revision, settings, access, signal)
      )
    },
  }
}

function isUnfinished(state: ReleaseState): boolean {
  return state === 'failed' || state.startsWith('pending-')
}
