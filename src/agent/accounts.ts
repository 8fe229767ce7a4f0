// With whose rights a deployment acts in the cluster (spec 7.5): the account it names, else `fleet-default`, else the agent itself.
import { DEFAULT_SERVICE_ACCOUNT } from '../api/labels.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeConnection } from '../lib/kube/connection.ts'
import type { ReleaseAccess } from './release/engine.ts'

export interface AccountsOptions {
  /** The agent's own connection and client to its cluster. */
  connection: KubeConnection
  client: KubeClient
  /** Namespace in which the accounts live: the agent's. */
  namespace: string
  createClient(connection: KubeConnection): KubeClient
}

/** Hands out the rights for one deployment; whoever renders, applies, reads values or copies gets nothing else. */
export interface Accounts {
  /** `serviceAccount` as the options name it. Throws when it does not exist. */
  access(serviceAccount: string | undefined): Promise<ReleaseAccess>
  close(): Promise<void>
}

const SERVICE_ACCOUNT = { apiVersion: 'v1', kind: 'ServiceAccount' }

export function createAccounts({ connection, client, namespace, createClient }: AccountsOptions): Accounts {
  const own: ReleaseAccess = { client, kubeconfig: () => connection.toKubeconfig() }
  const impersonated = new Map<string, ReleaseAccess & { client: KubeClient }>()

  async function exists(name: string): Promise<boolean> {
    return (await client.find({ ...SERVICE_ACCOUNT, namespace, name })) !== undefined
  }

  function accessAs(name: string): ReleaseAccess {
    const known = impersonated.get(name)
    if (known) return known
    const as = connection.impersonate(`system:serviceaccount:${namespace}:${name}`)
    const access = { client: createClient(as), kubeconfig: () => as.toKubeconfig() }
    impersonated.set(name, access)
    return access
  }

  return {
    async access(serviceAccount) {
      if (!serviceAccount) return (await exists(DEFAULT_SERVICE_ACCOUNT)) ? accessAs(DEFAULT_SERVICE_ACCOUNT) : own
      if (!(await exists(serviceAccount)))
        throw new Error(`looking up service account ${namespace}/${serviceAccount}: ServiceAccount "${serviceAccount}" not found`)
      return accessAs(serviceAccount)
    },
    close: async () => void (await Promise.all([...impersonated.values()].map((access) => access.client.close()))),
  }
}
