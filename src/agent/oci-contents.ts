// Files that lie in an OCI registry: fetched with the secret beside the deployment on the hub, and taken only if they have the id they should have (spec 5.6).
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import { OCI_STORAGE_SECRET } from '../api/labels.ts'
import { ARTIFACT_TAG, artifactAnnotations, artifactRepository, parseOciStorage } from '../api/oci-storage.ts'
import { type ContentFile, type ContentLimits, decodeResources, readManifest } from '../bundle/read-contents.ts'
import { WaitingError } from '../lib/controller/errors.ts'
import { createSlots } from '../lib/exec/slots.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { artifactLayer } from '../lib/oci/artifact.ts'
import type { Registries } from '../lib/oci/registry.ts'

/** Reads contents out of registries. */
export interface RegistryContents {
  /**
   * The files with this id. Throws WaitingError while the secret is missing, OciError when the registry does not give them, Error when they are others,
   * TerminalError when nobody can use them.
   */
  files(deployment: BundleDeployment, id: string, limits: Required<ContentLimits>, signal: AbortSignal): Promise<ContentFile[]>
}

/** Reason of the wait for the secret with the registry. */
export const WAITING_FOR_REGISTRY = 'WaitingForRegistrySecret'

interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

/** Artifacts are held in memory while they are unpacked. */
const DOWNLOADS_AT_A_TIME = 4
/** The hub writes the secret just after the deployment: the first looks may come too early. */
const SECRET_RETRY_MS = 1_000

export function createRegistryContents({ hub, registries }: { hub: KubeClient; registries: Registries }): RegistryContents {
  const slots = createSlots(DOWNLOADS_AT_A_TIME)

  async function secretOf({ metadata: { namespace = '' } }: BundleDeployment, id: string, signal: AbortSignal): Promise<Secret> {
    const secret = await hub.find<Secret>({ apiVersion: 'v1', kind: 'Secret', name: id, namespace }, { signal })
    if (!secret) {
      throw new WaitingError(`the secret ${namespace}/${id} with the registry of the contents is missing on the hub`, {
        reason: WAITING_FOR_REGISTRY,
        retryAfterMs: SECRET_RETRY_MS,
      })
    }
    if (secret.type !== OCI_STORAGE_SECRET)
      throw new Error(
        `the secret ${namespace}/${id} on the hub is not of the type ${OCI_STORAGE_SECRET}: delete it, the hub writes it again`,
      )
    return secret
  }

  async function download(secret: Secret, id: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    const { reference, agentAccess } = parseOciStorage(secret.data, `${secret.metadata.namespace}/${id} on the hub`)
    const repository = registries.repository(artifactRepository(reference, id), agentAccess)
    return repository.blob(await artifactLayer(repository, ARTIFACT_TAG, artifactAnnotations(id), signal), signal, maxBytes)
  }

  return {
    async files(deployment, id, limits, signal) {
      const secret = await secretOf(deployment, id, signal)
      return slots.run(async () => decodeResources(readManifest(await download(secret, id, limits.maxBytes, signal), id), limits), signal)
    },
  }
}
