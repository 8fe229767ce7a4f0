import type { Bundle } from '../api/bundle.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Contents } from './contents.ts'
import { SECRET, type Secret, textAt } from './secrets.ts'

/**
 * Where the contents of a bundle lie in their registry, for people to read; undefined for other contents, and while the secret that tells is missing.
 * Asks only when the status does not have it yet.
 */
export async function registryReference(bundle: Bundle, { kind, id }: Contents, client: KubeClient): Promise<string | undefined> {
  if (kind !== 'registry') return undefined
  const known = bundle.status?.ociReference
  if (known?.endsWith(`/${id}:latest`)) return known
  const secret = await client.find<Secret>({ ...SECRET, name: id, namespace: bundle.metadata.namespace ?? '' })
  const reference = secret && textAt(secret, 'reference')
  return reference ? `oci://${reference}/${id}:latest` : undefined
}
