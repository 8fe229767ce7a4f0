// What the administrator of the hub says of git servers, out of caches: the known hosts, the certificates of Rancher, the time limit (spec 0.2, 8.2).
import { messageOf } from '../lib/controller/errors.ts'
import { keyOf } from '../lib/controller/keys.ts'
import type { Logger } from '../lib/controller/log.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Informer, InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import type { GitDefaults } from './git-access.ts'
import { RANCHER_NAMESPACE, RANCHER_SECRETS } from './rancher-certificates.ts'
import { SECRET, type Secret } from './secrets.ts'

const KNOWN_HOSTS = 'known-hosts'
const KNOWN_HOSTS_KEY = 'known_hosts'

interface ConfigMapObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>> | null
}

export interface GitDefaultsDeps {
  readonly client: Pick<KubeClient, 'find'>
  readonly informers: InformerFactory
  readonly systemNamespace: string
  /** What does not come from the cluster. */
  readonly settings: () => GitDefaults
  readonly log: Logger
}

export interface GitDefaultsSource {
  /** As of now, without a request. */
  current(): GitDefaults
  /** A change there concerns all GitRepos. */
  readonly informers: readonly Informer<KubeObject>[]
}

/** Follows the ConfigMap `known-hosts` of the system namespace, and reads Rancher's certificates when they change. */
export function createGitDefaults({ client, informers, systemNamespace, settings, log }: GitDefaultsDeps): GitDefaultsSource {
  const configMaps = informers.informer<ConfigMapObject>({
    type: { apiVersion: 'v1', kind: 'ConfigMap' },
    namespace: systemNamespace,
    fieldSelector: `metadata.name=${KNOWN_HOSTS}`,
  })
  const secretMetadata = informers.informer<KubeObject>({ type: SECRET, metadataOnly: true })
  const certificates = new Map<string, string>()

  secretMetadata.subscribe(({ type, object }) => {
    const found = RANCHER_SECRETS.find(([name]) => keyOf(object) === keyOf({ namespace: RANCHER_NAMESPACE, name }))
    if (!found) return
    if (type === 'deleted') certificates.delete(found[0])
    else void read(...found)
  })

  /** GitRepos that need these certificates fail until they are read, and try again by themselves. */
  async function read(name: string, key: string): Promise<void> {
    try {
      const secret = await client.find<Secret>({ ...SECRET, namespace: RANCHER_NAMESPACE, name })
      certificates.set(name, Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8'))
    } catch (error) {
      log.warn({ secret: `${RANCHER_NAMESPACE}/${name}`, reason: messageOf(error) }, 'certificates of Rancher could not be read')
    }
  }

  return {
    informers: [configMaps],
    current() {
      const text = configMaps.get(KNOWN_HOSTS, systemNamespace)?.data?.[KNOWN_HOSTS_KEY] ?? ''
      const bundle = RANCHER_SECRETS.map(([name]) => certificates.get(name) ?? '').filter((pem) => pem.trim() !== '')
      return {
        ...(bundle.length > 0 ? { caBundle: bundle.join('\n') } : {}),
        ...settings(),
        knownHosts: { name: `ConfigMap ${systemNamespace}/${KNOWN_HOSTS}`, text },
      }
    },
  }
}
