// The secrets that HelmOps name: their metadata is cached, so that only one that has changed costs a request.
import { type ChartCredentials, credentialsOfSecret } from '../api/chart-secret.ts'
import { messageOf, TerminalError } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { SECRET, type Secret } from '../source/secrets.ts'

export interface SecretReader {
  /** Throws TerminalError when the secret is not there; makes no request. An empty name is fine. */
  check(namespace: string | undefined, name: string): void
  /** What the secret holds; nothing for an empty name. Throws TerminalError when it is missing or broken. */
  read(namespace: string | undefined, name: string): Promise<ChartCredentials>
}

export function createSecretReader(client: Pick<KubeClient, 'find'>, metadata: Informer<KubeObject>): SecretReader {
  const known = new Map<string, Secret>()
  metadata.subscribe(({ type, object }) => {
    if (type === 'deleted') known.delete(keyOf(object))
  })

  async function find(namespace: string | undefined, name: string): Promise<Secret | undefined> {
    const cached = metadata.get(name, namespace)
    if (!cached) return undefined
    const old = known.get(keyOf(cached))
    if (old && old.metadata.resourceVersion === cached.metadata.resourceVersion) return old
    const secret = await client.find<Secret>({ ...SECRET, name, ...(namespace ? { namespace } : {}) })
    if (secret) known.set(keyOf(cached), secret)
    return secret
  }

  return {
    check(namespace, name) {
      if (name !== '' && !metadata.get(name, namespace)) throw missing(namespace, name)
    },
    async read(namespace, name) {
      if (name === '') return {}
      const secret = await find(namespace, name)
      if (!secret) throw missing(namespace, name)
      try {
        return credentialsOfSecret(secret.data, name)
      } catch (error) {
        throw new TerminalError(`could not read Helm auth from secret: ${messageOf(error)}`)
      }
    },
  }
}

function missing(namespace: string | undefined, name: string): TerminalError {
  return new TerminalError(
    `could not read Helm auth from secret: Secret "${name}" not found: create it in namespace ${namespace}, or name another in helmSecretName`,
  )
}
