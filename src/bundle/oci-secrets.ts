// The secrets that tell where contents lie, as they are cached: without data, with a digest of it (spec 5.6). Each stands for an artifact in a registry,
// from before it is pushed until after it is deleted.
import { createHash } from 'node:crypto'
import { FLEET_PREFIX, OCI_STORAGE_SECRET } from '../api/labels.ts'
import { parseOciStorage, storageData } from '../api/oci-storage.ts'
import { marshalGoJson } from '../lib/json/go-json.ts'
import type { InformerOptions } from '../lib/kube/informer.ts'
import type { KubeObject } from '../lib/kube/types.ts'

export const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const

/** A secret; values are base64. */
export interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

/** A secret of contents, or of a registry, in a cache. */
export interface StoredSecret extends KubeObject {
  digest?: string
  /** where it points; empty if it cannot be read */
  reference?: string
}

/** Index of the cache: uids of the bundles that own a secret. */
export const BY_BUNDLE_UID = 'oci/bundle'

/** On a secret whose artifact is being deleted: who wants to use it has to wait until it is gone. */
export const DELETING_ANNOTATION = `${FLEET_PREFIX}oci-artifact-deleting`

/** The cache of these secrets. */
export const ociSecrets: InformerOptions<StoredSecret> = {
  type: SECRET,
  fieldSelector: `type=${OCI_STORAGE_SECRET}`,
  project: digestStored,
  indexes: { [BY_BUNDLE_UID]: owningBundles },
}

/** As the cache has it. */
export function digestStored({ data, ...secret }: Secret): StoredSecret {
  return { ...secret, digest: storageDigest(data), reference: referenceOf(data) }
}

/** The same for secrets that say the same about storage. */
export function storageDigest(data: Secret['data']): string {
  return createHash('sha256')
    .update(marshalGoJson(storageData(data)))
    .digest('base64')
}

/** Uids of the bundles that own a secret. */
export function owningBundles({ metadata }: KubeObject): string[] {
  return (metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'Bundle').map(({ uid }) => uid)
}

/** Whether its artifact is on its way out. */
export function isDeleting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined || metadata.annotations?.[DELETING_ANNOTATION] !== undefined
}

/** Where a secret points; empty if it cannot be read. */
export function referenceOf(data: Secret['data']): string {
  try {
    return parseOciStorage(data, '').reference
  } catch {
    return '' // whoever uses it says what is wrong
  }
}
