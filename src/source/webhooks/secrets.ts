// The secrets that pushes are checked with: the one that a GitRepo names, or the one for all (spec 8.4).
import type { GitRepo } from '../../api/git-repo.ts'
import { GLOBAL_WEBHOOK_SECRET_NAME } from '../../api/labels.ts'
import { keyOf, parseKey } from '../../lib/controller/keys.ts'
import { inParallel } from '../../lib/controller/parallel.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { Informer } from '../../lib/kube/informer.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { SECRET, type Secret } from '../secrets.ts'
import type { WebhookSecret } from './receive.ts'

export interface WebhookSecrets {
  /** Makes sure that the secrets of these GitRepos are known; only one that has changed costs a request. */
  load(gitRepos: readonly GitRepo[]): Promise<(gitRepo: GitRepo) => WebhookSecret>
}

const REQUESTS_AT_A_TIME = 16

export function createWebhookSecrets(
  client: Pick<KubeClient, 'find'>,
  metadata: Informer<KubeObject>,
  systemNamespace: string,
): WebhookSecrets {
  const globalKey = keyOf({ namespace: systemNamespace, name: GLOBAL_WEBHOOK_SECRET_NAME })
  const known = new Map<string, { readonly version: string | undefined; readonly secret: WebhookSecret }>()
  metadata.subscribe(({ type, object }) => {
    if (type === 'deleted') known.delete(keyOf(object))
  })

  async function find(key: string): Promise<WebhookSecret | undefined> {
    const { name, namespace = '' } = parseKey(key)
    const version = metadata.get(name, namespace)?.metadata.resourceVersion
    if (!version) return undefined
    const old = known.get(key)
    if (old?.version === version) return old.secret
    const found = await client.find<Secret>({ ...SECRET, name, namespace })
    if (!found) return undefined
    const secret = decode(found)
    known.set(key, { version: found.metadata.resourceVersion, secret })
    return secret
  }

  return {
    async load(gitRepos) {
      const keys = [...new Set([globalKey, ...gitRepos.map(keyOfSecret).filter((key) => key !== '')])]
      const found = new Map(await inParallel(keys, REQUESTS_AT_A_TIME, async (key) => [key, await find(key)] as const))
      const fallback: WebhookSecret = found.get(globalKey) ?? { kind: 'none' }
      const missing: WebhookSecret = { kind: 'missing' }
      return (gitRepo) => {
        const key = keyOfSecret(gitRepo)
        return key ? (found.get(key) ?? missing) : fallback
      }
    },
  }
}

function keyOfSecret({ metadata: { namespace }, spec }: GitRepo): string {
  return spec.webhookSecret ? keyOf({ namespace, name: spec.webhookSecret }) : ''
}

function decode({ data = {} }: Secret): WebhookSecret {
  return { kind: 'keys', keys: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64')])) }
}
