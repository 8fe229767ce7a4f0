// Secrets and config maps as they are cached for copying: without data, with a digest of it.
import { createHash } from 'node:crypto'
import { OCI_STORAGE_SECRET } from '../api/labels.ts'
import { agentStorageData } from '../api/oci-storage.ts'
import { marshalGoJson } from '../lib/json/go-json.ts'
import type { InformerOptions } from '../lib/kube/informer.ts'
import type { KubeObject, ResourceType } from '../lib/kube/types.ts'
import { withoutBookkeeping } from '../target/shared-labels.ts'
import { SECRET } from './secrets.ts'

export const CONFIG_MAP: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap' }

/** Index of the caches: uids of the deployments that own an object. */
export const BY_OWNER = 'deployment/owner'

/** A secret or config map. In the cache `digest` stands for `data` and `binaryData`. */
export interface Copyable extends KubeObject {
  type?: string
  data?: Record<string, string>
  binaryData?: Record<string, string>
  digest?: string
}

/** A copy that a deployment asks for. */
export interface CopyRequest {
  readonly kind: 'Secret' | 'ConfigMap'
  readonly name: string
  /** Type of the copy, where it is not that of the source. */
  readonly type?: string | undefined
  /** Labels of the copy in place of those of the source. */
  readonly labels?: Record<string, string> | undefined
}

/** Helm's own records are never copied, and are too large to be looked through. */
export const copyableSecrets: InformerOptions<Copyable> = {
  type: SECRET,
  fieldSelector: 'type!=helm.sh/release.v1',
  project: digestCopyable,
  indexes: { [BY_OWNER]: owningDeployments },
}
export const copyableConfigMaps: InformerOptions<Copyable> = {
  type: CONFIG_MAP,
  project: digestCopyable,
  indexes: { [BY_OWNER]: owningDeployments },
}

/** As the cache has it. A source has the digest of what is copied of it, a copy that of all it has. */
export function digestCopyable(object: Copyable): Copyable {
  const { data: _data, binaryData: _binaryData, ...rest } = object
  const { data = {}, binaryData = {} } = owningDeployments(object).length > 0 ? object : copiedData(object)
  const digest = createHash('sha256')
    .update(marshalGoJson([data, binaryData]))
    .digest('base64')
  return { ...rest, digest }
}

/** What is copied of a source: of the access to a registry only what agents may see of it. */
export function copiedData({ type, data, binaryData }: Copyable): Pick<Copyable, 'data' | 'binaryData'> {
  if (type === OCI_STORAGE_SECRET) return { data: agentStorageData(data) }
  return { ...(data ? { data } : {}), ...(binaryData ? { binaryData } : {}) }
}

/** Uids of the BundleDeployments that own an object. */
export function owningDeployments({ metadata }: KubeObject): string[] {
  return (metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'BundleDeployment').map(({ uid }) => uid)
}

/** Labels and annotations of a copy: those of its source but for the bookkeeping of tools. */
export function copiedMetadata(
  source: Copyable,
  request: CopyRequest,
): { labels: Record<string, string>; annotations: Record<string, string> } {
  if (request.labels) return { labels: request.labels, annotations: {} }
  return { labels: withoutBookkeeping(source.metadata.labels), annotations: withoutBookkeeping(source.metadata.annotations) }
}

/** True if the copy says what its source says. */
export function isUpToDate(copy: Copyable, source: Copyable, request: CopyRequest): boolean {
  const { labels, annotations } = copiedMetadata(source, request)
  return (
    copy.digest === source.digest &&
    (copy.type ?? '') === typeOf(source, request) &&
    contains(copy.metadata.labels, labels) &&
    contains(copy.metadata.annotations, annotations)
  )
}

/** Type of the copy of a secret; empty for config maps. */
export function typeOf(source: Copyable, request: CopyRequest): string {
  return request.type ?? source.type ?? ''
}

function contains(all: Record<string, string> | undefined, some: Record<string, string>): boolean {
  return Object.entries(some).every(([key, value]) => all?.[key] === value)
}

/** Changes whenever one of the sources does. */
export function stateOfSources(sources: readonly Copyable[]): string {
  const states = sources.map(({ kind, type, metadata, digest }) => {
    const { labels, annotations } = copiedMetadata({ apiVersion: 'v1', kind, metadata }, { kind: 'Secret', name: '' })
    return marshalGoJson([kind, metadata.name, type ?? '', digest ?? '', labels, annotations])
  })
  return createHash('sha256').update(states.sort().join('\n')).digest('hex').slice(0, 32)
}
