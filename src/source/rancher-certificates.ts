// The certificates that Rancher trusts, for whoever downloads charts (spec 0.2, 8.7): out of caches, read when they change.
import { keyOf } from '../lib/controller/keys.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { InformerFactory } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { SECRET, type Secret } from './secrets.ts'

/** Where Rancher keeps its secrets. */
export const RANCHER_NAMESPACE = 'cattle-system'
/** Secrets with the certificates that Rancher trusts, and the key of each, in the order in which they are put together. */
export const RANCHER_SECRETS: readonly (readonly [name: string, key: string])[] = [
  ['tls-ca', 'cacerts.pem'],
  ['tls-ca-additional', 'ca-additional.pem'],
]

export interface RancherCertificates {
  /** PEM, as of now; undefined if Rancher has none. Makes a request only for a secret that has changed. Throws ApiError. */
  read(): Promise<string | undefined>
  /** Whether a change of this secret changes them. */
  areIn(secret: KubeObject): boolean
}

interface Known {
  readonly version: string | undefined
  readonly pem: Promise<string>
}

export function createRancherCertificates({
  client,
  informers,
}: {
  readonly client: Pick<KubeClient, 'find'>
  readonly informers: InformerFactory
}): RancherCertificates {
  const metadata = informers.informer<KubeObject>({ type: SECRET, metadataOnly: true })
  const known = new Map<string, Known>()

  async function readOne(name: string, key: string): Promise<string> {
    const cached = metadata.get(name, RANCHER_NAMESPACE)
    if (!cached) return ''
    const before = known.get(name)
    const version = cached.metadata.resourceVersion
    if (before && before.version === version) return before.pem
    const entry: Known = { version, pem: fetch(name, key) }
    known.set(name, entry)
    try {
      return await entry.pem
    } catch (error) {
      if (known.get(name) === entry) known.delete(name) // whoever asks next tries anew
      throw error
    }
  }

  /** What is no certificate would make every connection fail. */
  async function fetch(name: string, key: string): Promise<string> {
    const secret = await client.find<Secret>({ ...SECRET, namespace: RANCHER_NAMESPACE, name })
    const pem = Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8')
    return pem.includes('-----BEGIN CERTIFICATE-----') ? pem.trim() : ''
  }

  return {
    async read() {
      const all = await Promise.all(RANCHER_SECRETS.map(([name, key]) => readOne(name, key)))
      return all.filter((pem) => pem !== '').join('\n') || undefined
    },
    areIn: (secret) => RANCHER_SECRETS.some(([name]) => keyOf(secret) === keyOf({ namespace: RANCHER_NAMESPACE, name })),
  }
}
