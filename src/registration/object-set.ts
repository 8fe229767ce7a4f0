// Objects that are applied together: what is missing is created, what differs is patched, what is no longer wanted goes (spec 2.4, 10.8).
import { SET_HASH_LABEL, SET_PRUNE_LABEL } from '../api/labels.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists, isNotFound } from '../lib/kube/errors.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { hashOfSet, type SetIdentity, stamp } from './set-identity.ts'
import { patchTo, withRecord } from './set-merge.ts'

/** What is known of the objects that live already. */
export interface LiveSet {
  find(ref: ObjectRef): KubeObject | undefined
  /** Objects with the label of the set; those that are no longer wanted are removed. */
  readonly members: readonly KubeObject[]
}

interface SetOptions {
  /** False: what carries the stamp of another set is left alone. Default: it is taken over. */
  readonly adopt?: boolean
}

/** What to do, in order. */
interface SetPlan {
  readonly create: readonly KubeObject[]
  readonly patch: readonly { readonly live: KubeObject; readonly patch: object; readonly desired: KubeObject }[]
  /** Something in them cannot be changed: deleted and created. */
  readonly replace: readonly { readonly live: KubeObject; readonly desired: KubeObject }[]
  readonly remove: readonly KubeObject[]
  /** Still being deleted, so they cannot be applied yet. */
  readonly leaving: readonly KubeObject[]
}

/** Never removed with a set, whatever it was: too much may live in it. */
const KEPT = new Set(['Namespace'])
/** What others need goes first. */
const ORDER = [
  'Namespace',
  'PriorityClass',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'ClusterRole',
  'Role',
  'ClusterRoleBinding',
  'RoleBinding',
]
const PARALLEL = 16

/** Compares a set with what lives. `desired` need not be stamped. */
export function planSet(set: SetIdentity, desired: readonly KubeObject[], live: LiveSet, { adopt = true }: SetOptions = {}): SetPlan {
  const plan = {
    create: [] as KubeObject[],
    patch: [] as SetPlan['patch'][number][],
    replace: [] as SetPlan['replace'][number][],
    leaving: [] as KubeObject[],
    remove: [] as KubeObject[],
  }
  const wanted = desired.map((object) => stamp(object, set)).sort(byKind)
  for (const object of wanted) {
    const found = live.find(refOf(object))
    if (!found) plan.create.push(object)
    else if (isForeign(found, set, adopt)) continue
    else if (found.metadata.deletionTimestamp) plan.leaving.push(found)
    else if (mustReplace(object, found)) plan.replace.push({ live: found, desired: object })
    else addPatch(plan.patch, object, found)
  }
  const keys = new Set(wanted.map(identity))
  plan.remove.push(...live.members.filter((member) => !keys.has(identity(member)) && mayRemove(member)))
  return plan
}

/** True if the plan changes anything. */
export function changesAnything({ create, patch, replace, remove }: SetPlan): boolean {
  return create.length + patch.length + replace.length + remove.length > 0
}

function addPatch(patches: SetPlan['patch'][number][], desired: KubeObject, live: KubeObject): void {
  const patch = patchTo(desired, live)
  if (patch) patches.push({ live, patch, desired })
}

// a namespace is shared by whoever has something in it: sets that stamped it over one another would never come to rest
function isForeign(live: KubeObject, set: SetIdentity, adopt: boolean): boolean {
  const hash = live.metadata.labels?.[SET_HASH_LABEL]
  if (!hash || hash === hashOfSet(set)) return false
  return !adopt || KEPT.has(live.kind)
}

function mayRemove({ kind, metadata }: KubeObject): boolean {
  return !KEPT.has(kind) && !metadata.deletionTimestamp && metadata.labels?.[SET_PRUNE_LABEL] !== 'false'
}

interface Immutable extends KubeObject {
  readonly roleRef?: { readonly kind: string; readonly name: string }
  readonly type?: string
  readonly value?: number
  readonly preemptionPolicy?: string
  readonly spec?: { readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> } }
}

/** Fields that the API server never changes. */
function mustReplace(desired: Immutable, live: Immutable): boolean {
  switch (desired.kind) {
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return desired.roleRef?.kind !== live.roleRef?.kind || desired.roleRef?.name !== live.roleRef?.name
    case 'Secret':
      return (desired.type ?? 'Opaque') !== (live.type ?? 'Opaque')
    case 'PriorityClass':
      return (desired.value ?? 0) !== (live.value ?? 0) || (desired.preemptionPolicy ?? LOWER) !== (live.preemptionPolicy ?? LOWER)
    case 'Deployment':
      return JSON.stringify(desired.spec?.selector?.matchLabels) !== JSON.stringify(live.spec?.selector?.matchLabels)
    default:
      return false
  }
}

const LOWER = 'PreemptLowerPriority'

/**
 * Carries a plan out, 16 requests at a time, kind by kind. Objects of the same name that belonged to nobody are taken over.
 * Throws WaitingError while an object is still being deleted; the next plan goes on from there.
 */
export async function carryOut(client: KubeClient, plan: SetPlan): Promise<void> {
  if (plan.leaving.length > 0) {
    const names = plan.leaving.map(nameOf).slice(0, 5).join(', ')
    throw new WaitingError(`waits until ${names} is deleted, to create it again`, { reason: 'Terminating', retryAfterMs: 2_000 })
  }
  await inParallel(plan.replace, PARALLEL, ({ live }) => remove(client, live))
  const created = [...plan.create, ...plan.replace.map(({ desired }) => desired)].sort(byKind)
  for (const kind of new Set(created.map((object) => object.kind))) {
    await inParallel(
      created.filter((object) => object.kind === kind),
      PARALLEL,
      (object) => createOrTakeOver(client, object),
    )
  }
  await inParallel(plan.patch, PARALLEL, (change) => patchOrCreate(client, change))
  await inParallel(plan.remove, PARALLEL, (object) => remove(client, object))
}

async function createOrTakeOver(client: KubeClient, desired: KubeObject): Promise<void> {
  try {
    await client.create(withRecord(desired))
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await takeOver(client, desired)
  }
}

/** There is one that the cache did not know. */
async function takeOver(client: KubeClient, desired: KubeObject): Promise<void> {
  const live = await client.get<KubeObject>(refOf(desired))
  if (mustReplace(desired, live)) {
    await remove(client, live)
    await client.create(withRecord(desired))
    return
  }
  const patch = patchTo(desired, live)
  if (patch) await client.patch(refOf(desired), patch, { type: 'merge' })
}

async function patchOrCreate(client: KubeClient, { desired, patch }: SetPlan['patch'][number]): Promise<void> {
  try {
    await client.patch(refOf(desired), patch, { type: 'merge' })
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.create(withRecord(desired))
  }
}

/** Deletes exactly the object that was looked at. */
async function remove(client: KubeClient, live: KubeObject): Promise<void> {
  const { uid } = live.metadata
  await client.delete(refOf(live), { propagationPolicy: 'Background', ...(uid ? { uid } : {}) })
}

function byKind(a: KubeObject, b: KubeObject): number {
  return rank(a) - rank(b)
}

function rank({ kind }: KubeObject): number {
  const index = ORDER.indexOf(kind)
  return index < 0 ? ORDER.length : index
}

function identity({ apiVersion, kind, metadata }: KubeObject): string {
  return `${apiVersion.split('/')[0]}|${kind}|${metadata.namespace ?? ''}|${metadata.name}`
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`
}
