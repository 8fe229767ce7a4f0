import type { Cluster } from '../api/cluster.ts'
import type { ClusterRegistration, ClusterRegistrationStatus } from '../api/cluster-registration.ts'
import { CLUSTER_REGISTRATION } from '../api/kinds.ts'
import { CLUSTER_MANAGEMENT_LABEL } from '../api/labels.ts'
import { clusterNamespace } from '../api/names.ts'
import type { ConditionUpdate } from '../lib/controller/conditions.ts'
import { type Controller, createController, type ReconcileResult } from '../lib/controller/controller.ts'
import { TerminalError, WaitingError } from '../lib/controller/errors.ts'
import { keyOf, parseKey } from '../lib/controller/keys.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import { refOf } from '../lib/kube/paths.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { accountOf, accountToken } from './account-token.ts'
import { holderOf, oldestFirst } from './client-id.ts'
import { failedCondition } from './failed-condition.ts'
import {
  credentialSecret,
  type Grant,
  grantedRights,
  isReplacedBy,
  newCluster,
  REGISTRATION_SET,
  requestAccount,
  requestAccountObject,
  tokenOf,
} from './grant.ts'
import { BY_CLIENT_ID, clientKey, managedSet, recordedMembers } from './informers.ts'
import { ownedBy } from './kinds.ts'
import { carryOut, changesAnything, planSet } from './object-set.ts'
import { conditionsOf, GRANTED, grantedCondition, pendingCondition, replacedEvent } from './registration-state.ts'
import { recordedOwner } from './set-identity.ts'
import type { RegistrationDeps } from './settings.ts'

/** After a grant the caches may lag behind what was just created. */
const SETTLE_MS = 5_000
const PARALLEL = 16

/** Grants registrations, restores the rights of those that are granted, and takes everything back when one goes (spec 3.4). */
export function createRegistrationController(deps: RegistrationDeps): Controller {
  const { client, clock, config, informers, settings, statuses, events, workers, metrics } = deps
  const { clusters, registrations, tokens, managed, accountTokens } = informers
  const log = deps.log.child({ controller: 'clusterregistration' })
  const settlesAt = new Map<string, number>() // by key of the registration, only while it settles

  async function reconcile(key: string): Promise<ReconcileResult | undefined> {
    const { name, namespace = '' } = parseKey(key)
    const request = registrations.get(name, namespace)
    if (!request) {
      settlesAt.delete(key)
      return takeBack({ ...CLUSTER_REGISTRATION, metadata: { name, namespace } })
    }
    if (request.metadata.deletionTimestamp || request.metadata.labels?.[CLUSTER_MANAGEMENT_LABEL]) return undefined
    if (request.status?.granted) return restore(key, request)
    try {
      return await grant(key, request)
    } catch (error) {
      const failed = failedCondition(GRANTED, request, error, clock.now())
      if (failed) await say(request, failed)
      throw error
    }
  }

  /** Writes what there is to say, and with it the fields in `change`. */
  async function say(request: ClusterRegistration, update: ConditionUpdate, change: ClusterRegistrationStatus = {}): Promise<void> {
    const conditions = conditionsOf(statuses.latest(request), update, clock.now())
    await statuses.write(request, { ...change, conditions }, { owned: [...Object.keys(change), 'conditions'] })
  }

  async function takeBack(owner: KubeObject): Promise<undefined> {
    const members = recordedMembers(informers, refOf(owner)).filter(({ metadata }) => !metadata.deletionTimestamp)
    await inParallel(members, PARALLEL, ({ metadata, ...type }) =>
      client.delete(refOf({ ...type, metadata }), metadata.uid ? { uid: metadata.uid } : {}),
    )
    if (members.length > 0) log.info({ registration: keyOf(owner), objects: members.length }, 'rights of a removed registration taken back')
    return undefined
  }

  async function restore(key: string, request: ClusterRegistration): Promise<ReconcileResult | undefined> {
    const wait = (settlesAt.get(key) ?? 0) - clock.now()
    if (wait > 0) return { requeueAfterMs: wait }
    settlesAt.delete(key)
    await removeEarlier(request)
    const cluster = clusters.get(request.status?.clusterName ?? '', request.metadata.namespace)
    if (!cluster || cluster.metadata.deletionTimestamp || cluster.spec.clientID !== request.spec.clientID) return undefined
    const set = { id: REGISTRATION_SET, owner: request }
    // the credential is short-lived by design, and what a newer registration has taken over is no longer ours
    const plan = planSet(set, grantedRights(grantOf(request, cluster)), { ...managedSet(informers, set), members: [] }, { adopt: false })
    if (!changesAnything(plan)) return undefined
    await carryOut(client, plan)
    log.info({ registration: key, cluster: keyOf(cluster) }, 'rights of an agent restored')
    return undefined
  }

  async function grant(key: string, request: ClusterRegistration): Promise<ReconcileResult | undefined> {
    const cluster = await clusterFor(request)
    const given = grantOf(request, cluster)
    const managedElsewhere = cluster.metadata.labels?.[CLUSTER_MANAGEMENT_LABEL]
    if (managedElsewhere || cluster.status?.namespace !== given.clusterNamespace) {
      await say(request, pendingCondition(cluster), { clusterName: cluster.metadata.name })
      return undefined // the cluster's next event brings it here again
    }
    const owned = await ownedByCluster(request, cluster)
    const set = { id: REGISTRATION_SET, owner: owned }
    const where = requestAccount(owned, given.clusterNamespace)
    const account = managed.ServiceAccount.get(where.name, where.namespace)
    if (!account) await carryOut(client, planSet(set, [requestAccountObject(given)], { ...managedSet(informers, set), members: [] }))
    const token = await accountToken(client, informers, account, where)
    const ended = await removeEarlier(owned)
    await carryOut(client, planSet(set, [...grantedRights(given), credentialSecret(given, token)], managedSet(informers, set)))
    settlesAt.set(key, clock.now() + SETTLE_MS)
    const others = sharing(request).filter(({ metadata }) => metadata.name !== cluster.metadata.name && !metadata.deletionTimestamp)
    await say(owned, grantedCondition(given, others), { clusterName: cluster.metadata.name, granted: true })
    log.info({ registration: key, cluster: keyOf(cluster), replaces: ended.length }, 'registration granted')
    if (ended.length > 0) events.event(cluster, replacedEvent(request, ended))
    return undefined
  }

  function grantOf(request: ClusterRegistration, cluster: Cluster): Grant {
    const { name, namespace = '' } = cluster.metadata
    const token = tokenOf(tokens, request, cluster)
    // computed, not read: agents may write the status of their cluster, and must not choose what they get rights to
    return { request, cluster, clusterNamespace: clusterNamespace(namespace, name), token, systemNamespace: settings.systemNamespace }
  }

  async function clusterFor(request: ClusterRegistration): Promise<Cluster> {
    const { clientID } = request.spec
    const { namespace } = request.metadata
    if (!clientID || !request.spec.clientRandom) throw refused(request, 'it must have a spec.clientID and a spec.clientRandom')
    const known = sharing(request)
    const found = holderOf(known)
    if (found) return found
    if (known[0])
      throw new WaitingError(`waits until cluster ${keyOf(known[0])} is deleted`, { reason: 'Terminating', retryAfterMs: 5_000 })
    const hub = config.current()
    if (!hub) throw new WaitingError('waits for a configuration that can be read: see ConfigMap fleet-controller')
    const wanted = newCluster(request, hub.ignoreClusterRegistrationLabels)
    const cached = clusters.get(wanted.metadata.name, namespace)
    const cluster = cached ?? (await createOrGet(wanted))
    if (cluster.spec.clientID !== clientID)
      throw refused(request, `cluster ${keyOf(cluster)} has another spec.clientID; rename the client or delete that cluster`)
    return cluster
  }

  /** Clusters with the client id of a registration, the oldest first. */
  function sharing({ metadata, spec }: ClusterRegistration): Cluster[] {
    return oldestFirst(clusters.by(BY_CLIENT_ID, clientKey(metadata.namespace, spec.clientID ?? '')))
  }

  function refused(request: ClusterRegistration, because: string): TerminalError {
    const note = `the registration cannot be granted: ${because}`
    events.event(request, { type: 'Warning', reason: 'Refused', action: 'GrantRegistration', note })
    return new TerminalError(note, { reason: 'Refused' })
  }

  async function createOrGet(cluster: Cluster): Promise<Cluster> {
    try {
      const created = await client.create(cluster)
      log.info({ cluster: keyOf(cluster) }, 'cluster created for a registration')
      return created
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      return client.get<Cluster>(refOf(cluster))
    }
  }

  async function ownedByCluster(request: ClusterRegistration, cluster: Cluster): Promise<ClusterRegistration> {
    if (request.metadata.ownerReferences?.some(({ uid }) => uid === cluster.metadata.uid)) return request
    const { resourceVersion } = request.metadata
    const patch = { metadata: { resourceVersion, ownerReferences: [ownedBy(cluster)] } }
    return client.patch<ClusterRegistration>(refOf(request), patch, { type: 'merge' })
  }

  /** Takes the credentials of earlier registrations of the client back. Returns those that had one. */
  async function removeEarlier(request: ClusterRegistration): Promise<ClusterRegistration[]> {
    const sameClient = registrations.by(BY_CLIENT_ID, clientKey(request.metadata.namespace, request.spec.clientID ?? ''))
    const earlier = sameClient.filter((other) => isReplacedBy(other, request) && !other.metadata.deletionTimestamp)
    await inParallel(earlier, PARALLEL, (other) => client.delete(refOf(other), other.metadata.uid ? { uid: other.metadata.uid } : {}))
    return earlier.filter(({ status }) => status?.granted)
  }

  const controller = createController({ name: 'clusterregistration', workers, reconcile, clock, log: deps.log, metrics })
  const ownKey = (member: KubeObject | undefined): string[] => {
    const owner = member && recordedOwner(member)
    return owner?.kind === 'ClusterRegistration' ? [keyOf(owner)] : []
  }
  controller.watch(registrations)
  for (const members of [managed.ServiceAccount, managed.Role, managed.RoleBinding, managed.ClusterRoleBinding])
    controller.watch(members, ({ object }) => ownKey(object))
  controller.watch(accountTokens, ({ object }) => ownKey(managed.ServiceAccount.get(accountOf(object) ?? '', object.metadata.namespace)))
  controller.watch(clusters, ({ object: { metadata, spec } }) => {
    const requests = registrations.by(BY_CLIENT_ID, clientKey(metadata.namespace, spec.clientID ?? ''))
    return requests.filter(({ status }) => !status?.granted).map(keyOf)
  })
  return controller
}
