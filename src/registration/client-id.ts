// One client id, one cluster: who has it when several claim it.
import type { Cluster } from '../api/cluster.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Informer, InformerEvent } from '../lib/kube/informer.ts'
import { BY_CLIENT_ID, clientKey } from './informers.ts'

/** The cluster that agents with a client id register as: the oldest that is not being deleted. Undefined if there is none. */
export function holderOf(clusters: readonly Cluster[]): Cluster | undefined {
  return oldestFirst(clusters).find(({ metadata }) => !metadata.deletionTimestamp)
}

/** Clusters by age; those of the same second by name, so that the order is always the same. */
export function oldestFirst(clusters: readonly Cluster[]): Cluster[] {
  return [...clusters].sort((a, b) => (ageKey(a) < ageKey(b) ? -1 : 1))
}

/** Another cluster of the namespace that has the client id of this one and goes before it. */
export function rivalOf(clusters: Pick<Informer<Cluster>, 'by'>, { metadata, spec }: Cluster): Cluster | undefined {
  if (!spec.clientID) return undefined
  const holder = holderOf(clusters.by(BY_CLIENT_ID, clientKey(metadata.namespace, spec.clientID)))
  return holder && holder.metadata.name !== metadata.name ? holder : undefined
}

/** What is said to the cluster that comes second. */
export function sharedIdMessage(rival: Cluster): string {
  return `cluster ${keyOf(rival)}, which is older, has the same spec.clientID, and agents with it register as that one: give this cluster another clientID, or delete one of the two`
}

/** Throws TerminalError when another cluster has the client id. */
export function checkClientID(clusters: Pick<Informer<Cluster>, 'by'>, cluster: Cluster): void {
  const rival = rivalOf(clusters, cluster)
  if (rival) throw new TerminalError(`the agent cannot be installed: ${sharedIdMessage(rival)}`, { reason: 'ClientIDTaken' })
}

/** Keys of the clusters for which an event may change who has a client id. */
export function rivalsAt(clusters: Pick<Informer<Cluster>, 'by'>, { type, object, old }: InformerEvent<Cluster>): string[] {
  const unchanged =
    old && old.spec.clientID === object.spec.clientID && !old.metadata.deletionTimestamp === !object.metadata.deletionTimestamp
  if (type === 'modified' && unchanged) return []
  const ids = new Set([old?.spec.clientID, object.spec.clientID].filter((id) => id))
  const sharing = [...ids].flatMap((id) => clusters.by(BY_CLIENT_ID, clientKey(object.metadata.namespace, id ?? '')))
  return sharing.filter(({ metadata }) => metadata.name !== object.metadata.name).map(keyOf)
}

function ageKey({ metadata }: Cluster): string {
  return `${metadata.creationTimestamp} ${metadata.name}`
}
