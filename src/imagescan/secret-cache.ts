import { keyOf } from '../lib/controller/keys.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { SECRET } from '../source/secrets.ts'
import type { Secret } from './question.ts'

/** Secrets by name: their metadata is cached, so that only one that has changed costs a request. */
export interface SecretCache {
  find(namespace: string | undefined, name: string | undefined): Promise<Secret | undefined>
}

export function createSecretCache(client: Pick<KubeClient, 'find'>, metadata: Informer<KubeObject>): SecretCache {
  const known = new Map<string, Secret>()
  metadata.subscribe(({ type, object }) => {
    if (type === 'deleted') known.delete(keyOf(object))
  })
  return {
    async find(namespace, name) {
      const cached = name ? metadata.get(name, namespace) : undefined
      if (!name || !cached) return undefined
      const key = keyOf(cached)
      const old = known.get(key)
      if (old && old.metadata.resourceVersion === cached.metadata.resourceVersion) return old
      const secret = await client.find<Secret>({ ...SECRET, name, ...(namespace ? { namespace } : {}) })
      if (secret) known.set(key, secret)
      return secret
    },
  }
}
