// What the process node asks of the API server for a pod. A pod that went or was replaced meanwhile is no error: the next event tells.
import type { KubeClient } from '../../lib/kube/client.ts'
import { isConflict, isNotFound } from '../../lib/kube/errors.ts'
import type { ObjectRef } from '../../lib/kube/types.ts'
import type { Pod, PodStatus } from './types.ts'
import { POD } from './types.ts'

/** Gives the pod to a node. */
export async function bindPod(client: KubeClient, pod: Pod, node: string): Promise<void> {
  const { name, namespace = 'default', uid } = pod.metadata
  const body = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, uid },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  }
  await ignoreGone(client.request('POST', `/api/v1/namespaces/${namespace}/pods/${name}/binding`, { body }))
}

/** Removes a pod that has ended. */
export async function deletePod(client: KubeClient, pod: Pod): Promise<void> {
  await ignoreGone(client.delete(refOf(pod), { uid: pod.metadata.uid ?? '', gracePeriodSeconds: 0 }))
}

/** Writes the status if it says anything new. @returns the pod as it is then, when it was written */
export async function writePodStatus(client: KubeClient, pod: Pod, status: PodStatus): Promise<Pod | undefined> {
  if (isSubset(status, pod.status)) return undefined
  const patch = { metadata: { uid: pod.metadata.uid }, status }
  return ignoreGone(client.patch<Pod>(refOf(pod), patch, { type: 'merge', subresource: 'status' }))
}

/** The one of two versions of a pod that is newer. */
export function newerPod(one: Pod, other: Pod | undefined): Pod {
  if (other === undefined) return one
  return BigInt(other.metadata.resourceVersion ?? 0) > BigInt(one.metadata.resourceVersion ?? 0) ? other : one
}

function refOf({ metadata: { name, namespace = 'default' } }: Pod): ObjectRef {
  return { ...POD, name, namespace }
}

async function ignoreGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error
    return undefined
  }
}

// Everything in `part` is in `whole` in the same way; lists must be equal in length. The API server adds fields of its own.
function isSubset(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null) return part === whole
  if (typeof whole !== 'object' || whole === null) return false
  if (Array.isArray(part) && part.length !== (whole as unknown[]).length) return false
  return Object.entries(part).every(([key, value]) => isSubset(value, (whole as Record<string, unknown>)[key]))
}
