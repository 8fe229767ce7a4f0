// Kinds of a release: those the cluster serves, and those that the release brings along itself.
import type { Clock } from '../../lib/controller/clock.ts'
import { sleep } from '../../lib/controller/clock.ts'
import { type Condition, isConditionTrue } from '../../lib/controller/conditions.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject, ResourceType } from '../../lib/kube/types.ts'
import { placeOf } from './place.ts'
import { unknownKindOf } from './refusal.ts'

interface Definition extends KubeObject {
  spec?: { group?: string; names?: { kind?: string } }
  status?: { conditions?: Condition[] | null }
}

const DEFINITION = 'CustomResourceDefinition'
const POLL_MS = 100
/** A definition is served within a second or two, unless the API server is in trouble. */
const SERVED_LIMIT_MS = 30_000

export function isDefinition({ kind }: KubeObject): boolean {
  return kind === DEFINITION
}

/** The kinds that the objects define themselves, each with the name of its definition. */
export function ownKinds(objects: readonly KubeObject[]): ReadonlyMap<string, string> {
  const definitions: Definition[] = objects.filter(isDefinition)
  return new Map(definitions.map(({ spec, metadata }) => [`${spec?.group}/${spec?.names?.kind}`, metadata.name]))
}

/** The key of a type in {@link ownKinds}. */
export function kindKey({ apiVersion, kind }: ResourceType): string {
  return `${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${kind}`
}

/** Throws for the first object whose kind the cluster does not serve and none of the objects defines. */
export async function checkKinds(client: KubeClient, objects: readonly KubeObject[]): Promise<void> {
  const own = ownKinds(objects)
  const seen = new Set<string>()
  for (const object of objects) {
    const type = `${object.apiVersion} ${object.kind}`
    if (seen.has(type) || own.has(kindKey(object))) continue
    seen.add(type)
    if (!(await placeOf(client, object, 'default'))) throw unknownKindOf(object)
  }
}

/** Waits until the cluster serves the kinds of definitions that were just written, as far as `objects` are of them. */
export async function untilServed(
  definitions: readonly Definition[],
  objects: readonly KubeObject[],
  client: KubeClient,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  for (const { apiVersion, kind, metadata, spec } of definitions) {
    const users = objects.filter((object) => kindKey(object) === `${spec?.group}/${spec?.names?.kind}`)
    if (users.length === 0) continue
    const end = clock.now() + SERVED_LIMIT_MS
    while (!(await isServed({ apiVersion, kind, name: metadata.name }))) {
      if (clock.now() > end) throw unknownKindOf(users[0]!)
      await sleep(clock, POLL_MS, signal)
    }
    while (!(await placeOf(client, users[0]!, 'default'))) {
      if (clock.now() > end) throw unknownKindOf(users[0]!)
      await sleep(clock, POLL_MS, signal)
    }
  }

  async function isServed(ref: ResourceType & { name: string }): Promise<boolean> {
    const live = await client.find<Definition>(ref)
    return isConditionTrue(live?.status?.conditions, 'Established')
  }
}
