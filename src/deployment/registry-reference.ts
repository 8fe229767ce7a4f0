import type { Bundle } from '../api/bundle.ts'
import { referenceOf } from '../bundle/oci-secrets.ts'
import type { Contents } from './contents.ts'
import { SECRET, type Secret } from './secrets.ts'
import type { BundleStage } from './stage.ts'

/**
 * Where the contents of a bundle lie in their registry, for people to read; undefined for other contents, and while the secret that tells is missing.
 * Asks only when neither the cache nor the status has it yet.
 */
export async function registryReference(
  bundle: Bundle,
  { kind, id }: Contents,
  { client, caches }: Pick<BundleStage, 'client'> & { readonly caches: Pick<BundleStage['caches'], 'ociSecrets'> },
): Promise<string | undefined> {
  if (kind !== 'registry') return undefined
  const { namespace = '' } = bundle.metadata
  const cached = caches.ociSecrets.get(id, namespace)?.reference
  const known = bundle.status?.ociReference
  if (!cached && known?.endsWith(`/${id}:latest`)) return known
  const reference = cached || referenceOf((await client.find<Secret>({ ...SECRET, name: id, namespace }))?.data)
  return reference ? `oci://${reference}/${id}:latest` : undefined
}
