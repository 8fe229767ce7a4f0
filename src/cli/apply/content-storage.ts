// Where `fleet apply` puts files: into a registry, if a secret names one (spec 5.6). Loaded only when bundles are written.

import { digestStored, SECRET, type Secret } from '../../bundle/oci-secrets.ts'
import { createContentStorage, type OpenStorage } from '../../bundle/oci-storage.ts'
import type { CliConfig } from '../../config/cli.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { createRegistries } from '../../lib/oci/registry.ts'

/** The storage for one call of the command. Throws an Error when the secret is missing or cannot be used. */
export async function withStorage<T>(
  client: KubeClient,
  { namespace, secret, config }: { readonly namespace: string; readonly secret: string | undefined; readonly config: CliConfig },
  use: (storage: OpenStorage | undefined) => Promise<T>,
): Promise<T> {
  if (!config.ociStorage) return use(undefined)
  const registries = createRegistries({ proxy: config.proxy })
  const find = (name: string, within: string): Promise<Secret | undefined> => client.find<Secret>({ ...SECRET, name, namespace: within })
  const contents = async (id: string, within: string) => {
    const found = await find(id, within)
    return found && digestStored(found)
  }
  try {
    return await use(await createContentStorage({ client, secrets: { registry: find, contents }, registries }).open(namespace, secret))
  } finally {
    await registries.close()
  }
}
