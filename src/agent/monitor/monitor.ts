// Watches what is deployed and says whether it is ready and unchanged (spec 7.6). An event names a deployment to look at; looking at it
// reads only the objects whose resourceVersion has changed since the last look.

import { SET_HASH_LABEL } from '../../api/labels.ts'
import type { Clock } from '../../lib/controller/clock.ts'
import type { Logger } from '../../lib/controller/log.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { UnknownKindError } from '../../lib/kube/errors.ts'
import type { KubeObject, ObjectRef, ResourceType } from '../../lib/kube/types.ts'
import { autoscalersOf, isAutoscaled } from './autoscaled.ts'
import { type Comparison, compare } from './compare.ts'
import type { ErrorConditions } from './condition-tables.ts'
import { fold, type ObjectState } from './fold.ts'
import { COMPARE_LIMIT } from './limits.ts'
import { objectKey, readLive } from './live-objects.ts'
import type { ComparePatch } from './normalize.ts'
import { summarize } from './summarize.ts'
import type { LiveState, MonitorInput } from './types.ts'
import { locate, notWanted, type Wanted } from './wanted.ts'
import { createKindWatches } from './watches.ts'

/** How long a look waits for the watch of a kind to fill its cache. */
const SYNC_TIMEOUT_MS = 30_000
/** How often an object that changes while it is looked at is looked at again. */
const LOOKS = 3

export interface Monitor {
  /** Watches what a deployment consists of; to be called again whenever it was applied or its options changed. */
  track(key: string, input: MonitorInput): void
  untrack(key: string): void
  /** Looks at the live objects. Throws when the API server cannot be asked; the key must be tracked. */
  evaluate(key: string): Promise<LiveState>
  stop(): Promise<void>
}

interface MonitorOptions {
  /** the agent's own client; used for watches of metadata alone */
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Logger
  /** a live object of this deployment has changed */
  readonly onChange: (key: string) => void
  readonly errors?: ErrorConditions | undefined
}

interface Tracked {
  readonly input: MonitorInput
  /** what a look found, by object; valid while the resourceVersion is the same */
  readonly seen: Map<string, ObjectState>
  wanted?: readonly Wanted[]
}

export function createMonitor({ client, clock, log, onChange, errors }: MonitorOptions): Monitor {
  const tracked = new Map<string, Tracked>()
  const bySet = new Map<string, string>()
  const watches = createKindWatches({ client, clock, log, onChange: (hash) => bySet.has(hash) && onChange(bySet.get(hash) ?? '') })

  /** The objects whose metadata differs from what the last look saw, read anew. */
  async function readChanged(entry: Tracked, wanted: readonly Wanted[]): Promise<Map<string, KubeObject>> {
    const changed = wanted.filter(({ ref }) => {
      const seen = entry.seen.get(objectKey(ref))
      const cached = watches.find(ref, ref.name, ref.namespace)
      return !seen || !cached || seen.resourceVersion !== cached.metadata.resourceVersion
    })
    const live = await readLive(
      entry.input.client,
      changed.map(({ ref }) => ref),
      `${SET_HASH_LABEL}=${entry.input.setHash}`,
    )
    for (const { ref } of changed) if (!live.has(objectKey(ref))) entry.seen.set(objectKey(ref), { missing: true })
    return live
  }

  async function look(entry: Tracked, { object, ref }: Wanted, read: KubeObject, autoscalers: readonly KubeObject[]): Promise<ObjectState> {
    const { setHash, client: as } = entry.input
    let live: KubeObject | undefined = read
    for (let attempt = 1; live && attempt <= LOOKS; attempt++) {
      if (live.metadata.labels?.[SET_HASH_LABEL] !== setHash) return { missing: true, exists: true }
      const comparison = await compareWith(entry, object, live, autoscalers)
      if (comparison) return present(entry, ref, live, comparison)
      live = await as.find<KubeObject>(ref)
    }
    if (!live) return { missing: true }
    // it changes all the time: what was found last is as good as anything, and the next event is on its way
    return present(entry, ref, { ...live, metadata: { ...live.metadata, resourceVersion: '' } }, before(entry, ref) ?? {})
  }

  function compareWith(
    entry: Tracked,
    object: KubeObject,
    live: KubeObject,
    autoscalers: readonly KubeObject[],
  ): Promise<Comparison | undefined> {
    return compare({
      desired: object,
      live,
      patches: (entry.input.options.diff?.comparePatches ?? []) as readonly ComparePatch[],
      replicasScaled: isAutoscaled(live, autoscalers),
      client: entry.input.client,
      before: before(entry, { ...object, ...object.metadata }),
    })
  }

  function before(entry: Tracked, ref: ObjectRef): Comparison | undefined {
    const seen = entry.seen.get(objectKey(ref))
    return seen?.missing ? undefined : seen
  }

  function present({ input }: Tracked, ref: ObjectRef, live: KubeObject, { patch, basis }: Comparison): ObjectState {
    const summary = summarize(live as unknown as Record<string, unknown>, {
      nowMs: clock.now(),
      ignore: input.options.ignore?.conditions ?? undefined,
      errors,
    })
    const { uid = '', resourceVersion = '', creationTimestamp = '' } = live.metadata
    return { ref, uid, resourceVersion, createdAt: creationTimestamp, summary, patch, basis }
  }

  /** Objects of the set that nobody wants any more, confirmed by a read: a watch may be behind. */
  async function leftOver(entry: Tracked, wanted: readonly Wanted[]): Promise<ObjectRef[]> {
    const { input } = entry
    const ofSet = kindsOf(input).flatMap((type) => watches.ofSet(type, input.setHash).map((object) => ({ ...object, ...type })))
    const extra = notWanted(ofSet, wanted, input.previousObjects ?? [])
    const live = extra.length > 0 ? await readLive(input.client, extra, `${SET_HASH_LABEL}=${input.setHash}`) : new Map()
    return extra.filter((ref) => live.get(objectKey(ref))?.metadata.labels?.[SET_HASH_LABEL] === input.setHash)
  }

  return {
    track(key, input) {
      const before = tracked.get(key)
      const same =
        before &&
        before.input.objects === input.objects &&
        JSON.stringify([before.input.options.diff, before.input.options.ignore]) ===
          JSON.stringify([input.options.diff, input.options.ignore])
      tracked.set(key, same ? { ...before, input } : { input, seen: new Map() })
      if (before && before.input.setHash !== input.setHash) bySet.delete(before.input.setHash)
      bySet.set(input.setHash, key)
      watches.require(key, kindsOf(input))
    },
    untrack(key) {
      const entry = tracked.get(key)
      if (!entry) return
      tracked.delete(key)
      if (bySet.get(entry.input.setHash) === key) bySet.delete(entry.input.setHash)
      watches.require(key, [])
    },
    async evaluate(key) {
      const entry = tracked.get(key)
      if (!entry) throw new Error(`deployment ${key} is not watched`)
      await watches.synced(await servedKinds(entry.input), AbortSignal.timeout(SYNC_TIMEOUT_MS))
      entry.wanted ??= await locate(entry.input)
      const { wanted } = entry
      const live = await readChanged(entry, wanted)
      const autoscalers = autoscalersOf(wanted.map(({ object }) => object))
      await inParallel(wanted, COMPARE_LIMIT, async (item) => {
        const object = live.get(objectKey(item.ref))
        if (object) entry.seen.set(objectKey(item.ref), await look(entry, item, object, autoscalers))
      })
      return fold(wanted, entry.seen, await leftOver(entry, wanted), entry.input.options)
    },
    stop: () => watches.stop(),
  }
}

function kindsOf(input: MonitorInput): ResourceType[] {
  return [...new Map(input.objects.map(({ apiVersion, kind }) => [`${apiVersion}/${kind}`, { apiVersion, kind }])).values()]
}

/** The kinds that the cluster serves: a kind that is gone has no cache to wait for. */
async function servedKinds(input: MonitorInput): Promise<ResourceType[]> {
  const served: ResourceType[] = []
  for (const type of kindsOf(input)) if (await isServed(input.client, type)) served.push(type)
  return served
}

async function isServed(client: KubeClient, type: ResourceType): Promise<boolean> {
  try {
    await client.mapping(type)
    return true
  } catch (error) {
    if (error instanceof UnknownKindError) return false
    throw error
  }
}
