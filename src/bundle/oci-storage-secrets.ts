import { REPO_NAME_LABEL } from '../api/labels.ts'
import type { Clock } from '../lib/controller/clock.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { SECRET, type Secret, type StoredSecret } from './oci-secrets.ts'
import type { StorageSecrets } from './oci-storage.ts'

export interface CachedStorageSecretsOptions {
  readonly client: KubeClient
  /** of all secrets */
  readonly metadata: Informer<KubeObject>
  /** with the options `ociSecrets` */
  readonly contents: Informer<StoredSecret>
  readonly clock: Clock
}

/** No publishing takes longer between the first write and the last. */
const ABANDONED_AFTER_MS = 30 * 60_000

/** Looks secrets up in caches: only one with a registry that has changed costs a request. */
export function cachedStorageSecrets({ client, metadata, contents, clock }: CachedStorageSecretsOptions): StorageSecrets {
  const known = new Map<string, Secret>() // by uid

  metadata.subscribe(({ type, object }) => {
    if (type === 'deleted') known.delete(object.metadata.uid ?? '')
  })

  return {
    async registry(name, namespace) {
      const cached = metadata.get(name, namespace)
      if (!cached) return undefined
      const { uid = '', resourceVersion } = cached.metadata
      const before = known.get(uid)
      if (before?.metadata.resourceVersion === resourceVersion) return before
      const secret = await client.find<Secret>({ ...SECRET, name, namespace })
      if (secret?.metadata.uid) known.set(secret.metadata.uid, secret)
      return secret
    },
    contents: (id, namespace) => contents.get(id, namespace),
    abandoned: (repoName, namespace) =>
      contents.list(namespace).filter(({ metadata: { labels, ownerReferences = [], creationTimestamp = '' } }) => {
        const isOld = Date.parse(creationTimestamp) + ABANDONED_AFTER_MS < clock.now()
        return isOld && ownerReferences.length === 0 && labels?.[REPO_NAME_LABEL] === repoName
      }),
  }
}
