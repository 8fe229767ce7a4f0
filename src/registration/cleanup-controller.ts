// Finds what has lost its owner: objects whose set was made for something that is gone, namespaces of clusters that are gone (spec 2.5).
import { CLUSTER } from '../api/kinds.ts'
import { CLUSTER_LABEL, CLUSTER_NAMESPACE_LABEL, MANAGED_LABEL } from '../api/labels.ts'
import { type Controller, createController } from '../lib/controller/controller.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { isForbidden, UnknownKindError } from '../lib/kube/errors.ts'
import type { Informer } from '../lib/kube/informer.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { MANAGED_KINDS, recordedMembers } from './informers.ts'
import { NAMESPACE } from './kinds.ts'
import { recordedOwner } from './set-identity.ts'
import type { RegistrationDeps } from './settings.ts'

/** Whoever removes an owner takes its objects with it; only what is left after that is an orphan. */
const OWNER_GONE_MS = 3_000

/** Deletes orphans. Before it does, it asks the API server whether the owner is really gone: a cache may lag. */
export function createCleanupController(deps: RegistrationDeps): Controller {
  const { client, clock, informers, workers, metrics } = deps
  const { managed, namespaces, clusters, registrations, tokens } = informers
  const log = deps.log.child({ controller: 'cleanup' })
  const owners: readonly [string, Informer<KubeObject>][] = [
    ['Cluster', clusters as unknown as Informer<KubeObject>],
    ['ClusterRegistration', registrations as unknown as Informer<KubeObject>],
    ['ClusterRegistrationToken', tokens as unknown as Informer<KubeObject>],
    ['Namespace', namespaces],
  ]

  async function reconcile(key: string): Promise<undefined> {
    const object = find(key)
    if (!object || object.metadata.deletionTimestamp || object.metadata.labels?.[MANAGED_LABEL] !== 'true') return undefined
    const owner = ownerOf(object)
    if (!owner || (await exists(owner))) return undefined
    const { uid } = object.metadata
    const removed = await client.delete(refOf(object), { propagationPolicy: 'Background', ...(uid ? { uid } : {}) })
    if (removed) log.info({ kind: object.kind, object: keyOf(object), owner: `${owner.kind} ${keyOf(owner)}` }, 'orphan deleted')
    return undefined
  }

  function find(key: string): KubeObject | undefined {
    const bar = key.indexOf('|')
    const kind = key.slice(0, bar)
    const { name, namespace } = parseKey(key.slice(bar + 1))
    if (kind === 'Namespace') {
      const found = namespaces.get(name)
      return found && { ...found, ...NAMESPACE }
    }
    return MANAGED_KINDS.filter((managedKind) => managedKind === kind).map((managedKind) => managed[managedKind].get(name, namespace))[0]
  }

  async function exists(owner: ObjectRef): Promise<boolean> {
    const cache = owners.find(([kind]) => kind === owner.kind)?.[1]
    if (cache?.get(owner.name, owner.namespace)) return true
    try {
      const { namespaced } = await client.mapping(owner)
      if (namespaced && !owner.namespace) return false // no such object can exist, and asking for it would fail for ever
      return (await client.find(owner)) !== undefined
    } catch (error) {
      if (error instanceof UnknownKindError) return true // whoever defined that kind knows better what to do with it
      if (cache || !isForbidden(error)) throw error
      log.debug({ kind: owner.kind, object: keyOf(owner) }, 'owner is of a kind that cannot be read here, what belongs to it stays')
      return true
    }
  }

  const controller = createController({ name: 'cleanup', workers, reconcile, clock, log: deps.log, metrics })
  for (const kind of MANAGED_KINDS)
    controller.watch(managed[kind], ({ type, object }) => (type === 'deleted' ? [] : [`${kind}|${keyOf(object)}`]))
  controller.watch(namespaces, ({ type, object }) => (type === 'deleted' ? [] : [`Namespace|${object.metadata.name}`]))
  for (const [kind, cache] of owners) {
    cache.subscribe(({ type, object }) => {
      if (type !== 'deleted') return
      const members = recordedMembers(informers, { apiVersion: object.apiVersion, kind, ...nameOf(object) })
      for (const member of members) controller.enqueueAfter(`${member.kind}|${keyOf(member)}`, OWNER_GONE_MS)
    })
  }
  clusters.subscribe(({ type, object: { metadata } }) => {
    if (type !== 'deleted') return
    for (const namespace of namespaces.list()) {
      if (namespace.metadata.annotations?.[CLUSTER_LABEL] === metadata.name)
        controller.enqueueAfter(`Namespace|${namespace.metadata.name}`, OWNER_GONE_MS)
    }
  })
  return controller
}

/** What an object is there for; undefined if it does not say. */
function ownerOf(object: KubeObject): ObjectRef | undefined {
  if (object.kind !== 'Namespace') return recordedOwner(object)
  const name = object.metadata.annotations?.[CLUSTER_LABEL]
  const namespace = object.metadata.annotations?.[CLUSTER_NAMESPACE_LABEL]
  return name && namespace ? { ...CLUSTER, name, namespace } : undefined
}

function nameOf({ metadata: { name, namespace } }: KubeObject): { name: string; namespace?: string } {
  return { name, ...(namespace ? { namespace } : {}) }
}
