// Writes the objects of a release: kind by kind in Helm's order, the objects of a kind side by side.
import { type Clock, sleep } from '../../lib/controller/clock.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { Slots } from '../../lib/exec/slots.ts'
import { HelmError } from '../../lib/helm/errors.ts'
import { APPLY_TYPE } from '../../lib/kube/body.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../lib/kube/errors.ts'
import { objectPath, refOf } from '../../lib/kube/paths.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { isDefinition, kindKey, ownKinds, untilServed } from './bundle-kinds.ts'
import type { ReleaseRef } from './engine.ts'
import { asAppliedBy, FIELD_MANAGER, handOver, isOfHelm, type Managed } from './field-manager.ts'
import { distinct } from './identity.ts'
import { installGroups } from './kind-order.ts'
import { owned } from './ownership.ts'
import { placeOf } from './place.ts'
import { combined, refusalOf, unknownKindOf, writeRefusal } from './refusal.ts'

export interface WriteSettings {
  readonly release: ReleaseRef
  /** Apply on the server, or put the whole object in place of what is there. */
  readonly mode: 'apply' | 'replace'
  /** The objects may have been written by a client: fields that it wrote count as applied from now on. */
  readonly wasUpdated: boolean
  /** What joins the messages of several objects. */
  readonly separator: string
  /** How many objects of all releases are written at a time: what waits for a connection must not run out of time. */
  readonly slots: Slots
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

/** Requests of one release at a time. */
const PARALLEL = 16
const ATTEMPTS = 6
const APPLIED = asAppliedBy(FIELD_MANAGER, { updates: true })
const FIRST_PAUSE_MS = 20
/** The path of a new kind may answer 404 for a moment after its definition is established. */
const NEW_KIND_ATTEMPTS = 50
const NEW_KIND_PAUSE_MS = 100

/**
 * Writes all objects, also when some are refused, so that one mistake does not keep the others away. Throws one error for all refusals.
 * Of objects that stand twice in the list the last one counts.
 */
export async function writeObjects(client: KubeClient, objects: readonly KubeObject[], settings: WriteSettings): Promise<void> {
  const { release, separator, slots, clock, signal } = settings
  const wanted = distinct(objects, release.namespace)
  const newKinds = ownKinds(wanted)
  const errors: unknown[] = []
  for (const group of installGroups(wanted)) {
    signal?.throwIfAborted()
    const results = await inParallel(group, PARALLEL, (object) =>
      slots.run(() => attempt(client, object, settings, newKinds.has(kindKey(object))), signal),
    )
    errors.push(...results.filter((error) => error !== undefined))
    if (errors.some((error) => !(error instanceof HelmError))) break // the way to the cluster is broken: no other object will get there
    if (group.some(isDefinition) && errors.length === 0) await untilServed(group, wanted, client, clock, signal)
  }
  signal?.throwIfAborted()
  if (errors.length > 0) throw combined(errors, separator)
}

/** The error, if there was one. */
async function attempt(client: KubeClient, object: KubeObject, settings: WriteSettings, isOfNewKind: boolean): Promise<unknown> {
  const { release, mode } = settings
  try {
    const place = await placeOf(client, object, release.namespace)
    if (!place) throw unknownKindOf(object)
    const whole = owned(object, release, place.namespace)
    if (mode === 'replace') await replace(client, whole, settings)
    else await apply(client, whole, settings, isOfNewKind)
    return undefined
  } catch (error) {
    return writeRefusal(error, refOf(object))
  }
}

async function apply(client: KubeClient, object: KubeObject, settings: WriteSettings, isOfNewKind: boolean): Promise<void> {
  const { clock, signal, wasUpdated } = settings
  const ref = refOf(object)
  if (wasUpdated) await handOver(client, ref, APPLIED, signal)
  for (let attempts = 1, pause = FIRST_PAUSE_MS; ; attempts++, pause *= 2) {
    try {
      const written = await send(client, object, signal)
      if (!isOfHelm(written.metadata.managedFields)) return
      // an earlier agent, or somebody with the helm command, wrote it: what is no longer wanted of that would stay for ever
      await handOver(client, ref, APPLIED, signal)
      await send(client, object, signal)
      return
    } catch (error) {
      const isNew = isOfNewKind && isNotFound(error) && error.details?.name === undefined && attempts < NEW_KIND_ATTEMPTS
      if (!isNew && !(isQuotaConflict(error) && attempts < ATTEMPTS)) throw writeRefusal(error, ref)
      await sleep(clock, isNew ? NEW_KIND_PAUSE_MS : pause, signal)
    }
  }
}

/** Applies on the server: a field that somebody else changed is ours again. The answer tells who owns what. */
async function send(client: KubeClient, object: KubeObject, signal: AbortSignal | undefined): Promise<Managed> {
  const path = objectPath(refOf(object), await client.mapping(object))
  const query = { fieldManager: FIELD_MANAGER, force: 'true', fieldValidation: 'Strict' }
  const headers = { 'content-type': APPLY_TYPE }
  return client.request<Managed>('PATCH', path, { query, headers, body: object, ...(signal ? { signal } : {}) })
}

/** The whole object as it should be; what others added goes. */
async function replace(client: KubeClient, object: KubeObject, { clock, signal }: WriteSettings): Promise<void> {
  const ref = refOf(object)
  const options = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', ...(signal ? { signal } : {}) } as const
  for (let attempts = 1, pause = FIRST_PAUSE_MS; ; attempts++, pause *= 2) {
    try {
      const live = await client.find<KubeObject>(ref, signal ? { signal } : {})
      const { resourceVersion } = live?.metadata ?? {}
      if (resourceVersion === undefined) await client.create(object, options)
      else await client.update({ ...object, metadata: { ...object.metadata, resourceVersion } }, options)
      return
    } catch (error) {
      const hasChanged = isConflict(error) || isAlreadyExists(error) || isNotFound(error)
      if (!hasChanged || attempts === ATTEMPTS) throw refusalOf(error, `failed to replace object ${ref.kind} ${ref.name}`)
      await sleep(clock, pause, signal)
    }
  }
}

/** Two objects of one release raced for the same quota. */
function isQuotaConflict(error: unknown): boolean {
  return isConflict(error) && error.message.includes('resourcequotas') && error.message.includes('the object has been modified')
}
