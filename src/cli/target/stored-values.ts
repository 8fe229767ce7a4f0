import type { Bundle } from '../../api/bundle.ts'
import { withValues } from '../../deployment/bundle-values.ts'
import { type DigestedSecret, hashBundleSecret, SECRET, type Secret } from '../../deployment/secrets.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { fixedCache } from '../cluster.ts'

/** A bundle that was read from the cluster has its helm values in a secret there: the bundle with them. Throws WaitingError where the secret has others. */
export async function withStoredValues(client: KubeClient, bundle: Bundle, signal: AbortSignal): Promise<Bundle> {
  if (!bundle.spec.valuesHash) return bundle
  const { name, namespace = '' } = bundle.metadata
  const secret = await client.find<Secret>({ ...SECRET, name, namespace }, { signal })
  const digested: DigestedSecret[] = secret ? [{ ...secret, digest: hashBundleSecret(secret) }] : []
  return withValues(bundle, fixedCache(digested), client)
}
