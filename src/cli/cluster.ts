// The cluster that a command talks to.
import type { CliConfig } from '../config/cli.ts'
import { createClient, type KubeClient, type ListOptions } from '../lib/kube/client.ts'
import { type KubeConnection, loadConnection } from '../lib/kube/connection.ts'
import { isForbidden, isNotFound, UnknownKindError } from '../lib/kube/errors.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject, ResourceType } from '../lib/kube/types.ts'

export interface Cluster {
  readonly connection: KubeConnection
  readonly client: KubeClient
}

/** Opens the cluster that flags, then environment name (spec 9.1). Throws KubeconfigError. */
export async function openCluster(
  { kubeconfig, inCluster, proxy }: CliConfig,
  flags: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
): Promise<Cluster> {
  const connection = await loadConnection({
    kubeconfig: flags.kubeconfig ?? kubeconfig,
    context: flags.context,
    serviceHost: inCluster.host,
    servicePort: inCluster.port,
    proxy: { httpProxy: proxy.http, httpsProxy: proxy.https, noProxy: proxy.none },
  })
  return { connection, client: createClient(connection) }
}

/** All objects of a kind; none when the cluster does not serve it, or we may not see it. */
export async function listIfAllowed<T extends KubeObject>(client: KubeClient, type: ResourceType, options: ListOptions): Promise<T[]> {
  try {
    return (await client.list<T>(type, options)).items
  } catch (error) {
    if (error instanceof UnknownKindError || isForbidden(error) || isNotFound(error)) return []
    throw error
  }
}

/** A cache that holds what was read once, for stages that look things up in caches. */
export function fixedCache<T extends KubeObject>(
  objects: readonly T[],
  indexes: Readonly<Record<string, (object: T) => readonly string[]>> = {},
): Informer<T> {
  const list = (namespace?: string) => objects.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
  return {
    synced: true,
    get: (name, namespace) => list(namespace).find(({ metadata }) => metadata.name === name),
    list,
    by: (index, value) => objects.filter((object) => indexes[index]?.(object).includes(value)),
    subscribe: () => () => {},
    waitSynced: async () => {},
  }
}
