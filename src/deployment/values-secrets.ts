// The secrets with the values of deployments: read, written and dropped only where that is needed.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { BUNDLE_DEPLOYMENT_SECRET } from '../api/labels.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists } from '../lib/kube/errors.ts'
import type { OwnerReference } from '../lib/kube/types.ts'
import type { Newest } from './newest.ts'
import { type DigestedSecret, digestDeploymentSecret, SECRET, type Secret, STAGED_VALUES_KEY, VALUES_KEY } from './secrets.ts'

export interface ValuesSecrets {
  /** As the cache has it; undefined if there is none or it belongs to an earlier deployment of that name. */
  of(deployment: BundleDeployment): DigestedSecret | undefined
  /** With its data, from the API server. */
  read(deployment: BundleDeployment): Promise<Secret | undefined>
  write(deployment: BundleDeployment, texts: { readonly values: string; readonly stagedValues: string }): Promise<void>
  /** Deletes it if it is there. */
  drop(deployment: BundleDeployment): Promise<void>
}

export function createValuesSecrets(client: KubeClient, newest: Newest<DigestedSecret>): ValuesSecrets {
  function cached({ metadata: { name, namespace } }: BundleDeployment): DigestedSecret | undefined {
    const secret = newest.get(name, namespace)
    return secret?.metadata.deletionTimestamp ? undefined : secret
  }

  async function create(wanted: Secret): Promise<Secret> {
    try {
      return await client.create(wanted)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const { name, namespace = '' } = wanted.metadata
      const existing = await client.get<Secret>({ ...SECRET, name, namespace })
      if (existing.type === BUNDLE_DEPLOYMENT_SECRET) return patch(wanted)
      throw new TerminalError(`secret ${namespace}/${name} of type ${existing.type} is in the way of helm values: rename it or the bundle`)
    }
  }

  function patch({ metadata: { name, namespace = '', ownerReferences }, data }: Secret): Promise<Secret> {
    return client.patch<Secret>({ ...SECRET, name, namespace }, { metadata: { ownerReferences }, data }, { type: 'merge' })
  }

  return {
    of(deployment) {
      const secret = cached(deployment)
      const isOwned = secret?.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid)
      return isOwned ? secret : undefined
    },
    read: ({ metadata: { name, namespace = '' } }) => client.find<Secret>({ ...SECRET, name, namespace }),
    async write(deployment, texts) {
      const wanted = newSecret(deployment, texts)
      newest.wrote(digestDeploymentSecret(await (cached(deployment) ? patch(wanted) : create(wanted))))
    },
    async drop(deployment) {
      const secret = cached(deployment)
      if (!secret) return
      const { name, namespace = '', uid } = secret.metadata
      await client.delete({ ...SECRET, name, namespace }, uid ? { uid } : {})
      newest.deleted(secret)
    },
  }
}

function newSecret(deployment: BundleDeployment, { values, stagedValues }: { values: string; stagedValues: string }): Secret {
  const { name, namespace = '' } = deployment.metadata
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, ownerReferences: [ownerReference(deployment)] },
    type: BUNDLE_DEPLOYMENT_SECRET,
    data: { [VALUES_KEY]: base64(values), [STAGED_VALUES_KEY]: base64(stagedValues) },
  }
}

function ownerReference({ apiVersion, kind, metadata: { name, uid = '' } }: BundleDeployment): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
