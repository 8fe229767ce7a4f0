// Reads kubeconfig secrets when they are needed, and remembers of each version only what tells whether the agent must be installed again.
import type { Cluster } from '../api/cluster.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { checkSecretNamespace, mayUseNamespace, type SecretFacts } from './import-plan.ts'
import type { RegistrationInformers } from './informers.ts'
import { SECRET, type Secret, secretText } from './kinds.ts'

export interface KubeconfigSecrets {
  /** Address and CA of the hub in the cluster's secret; undefined if there is none that it may use. One request a version of the secret. */
  facts(cluster: Cluster): Promise<SecretFacts | undefined>
  /** The secret as it is now. Throws TerminalError if there is none, or it lies where the cluster must not look. */
  read(cluster: Cluster): Promise<Secret>
}

/** A reader that follows the metadata in `secretNames`. */
export function createKubeconfigSecrets(
  client: KubeClient,
  { secretNames }: Pick<RegistrationInformers, 'secretNames'>,
): KubeconfigSecrets {
  const known = new WeakMap<KubeObject, SecretFacts>() // by version: the cache holds another object for each

  async function find(cluster: Cluster): Promise<Secret | undefined> {
    return client.find<Secret>({ ...SECRET, ...whereIs(cluster) })
  }

  return {
    async facts(cluster) {
      if (!mayUseNamespace(cluster)) return undefined
      const { name, namespace } = whereIs(cluster)
      const version = secretNames.get(name, namespace)
      if (!version) return undefined
      const remembered = known.get(version)
      if (remembered) return remembered
      const secret = await find(cluster)
      if (!secret) return undefined
      const facts = factsOf(secret)
      known.set(version, facts)
      return facts
    },
    async read(cluster) {
      checkSecretNamespace(cluster)
      const secret = await find(cluster)
      if (secret) return secret
      const { name, namespace } = whereIs(cluster)
      throw new TerminalError(
        `kubeconfig secret "${name}" not found in namespace ${namespace}: create it, or change spec.kubeConfigSecret`,
        { reason: 'KubeconfigSecretNotFound' },
      )
    },
  }
}

/** What a secret says of the hub. */
export function factsOf(secret: Secret): SecretFacts {
  return { apiServerURL: secretText(secret, 'apiServerURL'), apiServerCA: Buffer.from(secret.data?.apiServerCA ?? '', 'base64') }
}

function whereIs({ metadata, spec }: Cluster): { name: string; namespace: string } {
  return { name: spec.kubeConfigSecret ?? '', namespace: spec.kubeConfigSecretNamespace || metadata.namespace || '' }
}
