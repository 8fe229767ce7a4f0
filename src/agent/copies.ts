// Secrets and config maps that travel with a deployment (spec 7.1 step 5): from the cluster namespace on the hub into the namespace of the release.
import type { BundleDeployment } from '../api/bundle-deployment.ts'
import type { BundleDeploymentOptions, DownstreamResource } from '../api/bundle-deployment-options.ts'
import { BUNDLE_DEPLOYMENT_LABEL } from '../api/labels.ts'
import { safeConcatName } from '../api/names.ts'
import { TerminalError } from '../lib/controller/errors.ts'
import { inParallel } from '../lib/controller/parallel.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { isAlreadyExists, isNotFound } from '../lib/kube/errors.ts'
import type { KubeObject, ObjectRef } from '../lib/kube/types.ts'
import { releaseNamespace } from './target-namespace.ts'

interface DataObject extends KubeObject {
  type?: string
  data?: Record<string, string>
  binaryData?: Record<string, string>
}

const PARALLEL = 8
const KINDS: Readonly<Record<string, string>> = { secret: 'Secret', configmap: 'ConfigMap' }
/** Bookkeeping of the hub that means nothing elsewhere. */
const HUB_ONLY = /^(kubectl\.kubernetes\.io\/last-applied-configuration$|objectset\.rio\.cattle\.io\/)/

/**
 * Copies what the options list, with the rights of the deployment (`client`). True if any copy is new or has changed.
 * Throws when an original is missing on the hub.
 */
export async function copyResources(
  hub: KubeClient,
  client: KubeClient,
  deployment: BundleDeployment,
  options: BundleDeploymentOptions,
): Promise<boolean> {
  const list = options.downstreamResources ?? []
  if (list.length === 0) return false
  const namespace = releaseNamespace(options)
  const originals = await inParallel(list, PARALLEL, (item) => original(hub, deployment, item))
  await ensureNamespace(client, namespace)
  const written = await inParallel(originals, PARALLEL, (object) => writeCopy(client, copyOf(object, namespace, deployment.metadata.name)))
  return written.some(Boolean)
}

/** The copies of a deployment, wherever they lie; found with the agent's rights. */
export async function findCopies(client: KubeClient, deployment: string): Promise<ObjectRef[]> {
  const labelSelector = `${BUNDLE_DEPLOYMENT_LABEL}=${labelValue(deployment)}`
  const refs: ObjectRef[] = []
  for (const kind of Object.values(KINDS)) {
    const { items } = await client.list<KubeObject>({ apiVersion: 'v1', kind }, { labelSelector, metadataOnly: true })
    refs.push(...items.map(({ metadata }) => ({ apiVersion: 'v1', kind, name: metadata.name, namespace: metadata.namespace ?? '' })))
  }
  return refs
}

export async function deleteCopies(client: KubeClient, copies: readonly ObjectRef[]): Promise<void> {
  await inParallel(copies, PARALLEL, (copy) => client.delete(copy))
}

/** Takes the mark off copies that are to stay: whoever looks for copies to delete does not find them any more. */
export async function disownCopies(client: KubeClient, copies: readonly ObjectRef[]): Promise<void> {
  const patch = { metadata: { labels: { [BUNDLE_DEPLOYMENT_LABEL]: null } } }
  await inParallel(copies, PARALLEL, (copy) => client.patch(copy, patch, { type: 'merge' }))
}

async function original(hub: KubeClient, { metadata }: BundleDeployment, item: DownstreamResource): Promise<DataObject> {
  const kind = KINDS[item.kind?.toLowerCase() ?? '']
  if (!kind) throw new TerminalError(`downstreamResources lists the kind ${item.kind}: only Secret and ConfigMap can be copied`)
  const namespace = metadata.namespace ?? ''
  const object = await hub.find<DataObject>({ apiVersion: 'v1', kind, name: item.name ?? '', namespace })
  if (!object) throw new Error(`${kind.toLowerCase()} ${namespace}/${item.name} of downstreamResources is missing on the hub`)
  return object
}

function copyOf({ apiVersion, kind, metadata, type, data, binaryData }: DataObject, namespace: string, deployment: string): DataObject {
  const foreign = ([key]: [string, string]): boolean => !HUB_ONLY.test(key)
  const annotations = Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(foreign))
  const labels = {
    ...Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(foreign)),
    [BUNDLE_DEPLOYMENT_LABEL]: labelValue(deployment),
  }
  return {
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace, labels, annotations },
    ...(type === undefined ? {} : { type }),
    ...(data === undefined ? {} : { data }),
    ...(binaryData === undefined ? {} : { binaryData }),
  }
}

/** True if something was written. */
async function writeCopy(client: KubeClient, copy: DataObject): Promise<boolean> {
  const { apiVersion, kind, metadata } = copy
  const ref = { apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? '' }
  const live = await client.find<DataObject>(ref)
  if (live && contentOf(live) === contentOf(copy)) return false
  // the type of a Secret can't be changed, so a copy of another type is made anew
  if (live && live.type !== copy.type) await client.delete(ref, live.metadata.uid ? { uid: live.metadata.uid } : {})
  if (!live || live.type !== copy.type) await client.create(copy)
  else await client.update({ ...copy, metadata: { ...copy.metadata, resourceVersion: live.metadata.resourceVersion ?? '' } })
  return true
}

function contentOf({ type, data, binaryData, metadata }: DataObject): string {
  return JSON.stringify([
    type ?? '',
    ...[data, binaryData, metadata.labels, metadata.annotations].map((map) => Object.entries(map ?? {}).sort()),
  ])
}

async function ensureNamespace(client: KubeClient, name: string): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Namespace' }
  if (await mayBeMissing(client, name)) {
    try {
      await client.create({ ...ref, metadata: { name } })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }
}

/** A tenant that may not read namespaces has one of its own: writing into it will tell. */
async function mayBeMissing(client: KubeClient, name: string): Promise<boolean> {
  try {
    await client.get({ apiVersion: 'v1', kind: 'Namespace', name })
    return false
  } catch (error) {
    return isNotFound(error)
  }
}

function labelValue(deployment: string): string {
  return safeConcatName(deployment) // a label holds 63 characters, a name 253
}
