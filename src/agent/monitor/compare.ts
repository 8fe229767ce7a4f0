// Whether a live object still is what was deployed, and if not, the patch that would undo the change (spec 7.6 steps 3 and 4).
import type { KubeClient } from '../../lib/kube/client.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { applyMergePatch } from '../../lib/patch/merge-patch.ts'
import { isSubset, mergePatch, withoutNulls } from './merge-patch.ts'
import { type ComparePatch, normalize } from './normalize.ts'

/** Names us in dry runs; it never owns a field. */
const DRY_RUN_MANAGER = 'fleetagent-drift'

export interface CompareInput {
  readonly desired: KubeObject
  readonly live: KubeObject
  readonly patches: readonly ComparePatch[]
  /** `spec.replicas` belongs to an autoscaler that allows the live number */
  readonly replicasScaled: boolean
  readonly client: KubeClient
}

/**
 * The merge patch that would undo what was changed, as text, or undefined when nothing was.
 * A manifest that is contained in the live object needs no request. Otherwise the API server says by a dry run what applying it would
 * give, so that its defaults and canonical forms are no drift. Values of Secrets are masked.
 */
export async function driftOf(input: CompareInput): Promise<string | undefined> {
  const { desired, live, patches, replicasScaled } = input
  const manifest = withoutNulls(desired) as KubeObject
  const actual = normalize(live, patches)
  if (isSubset(normalize(manifest, patches), actual)) return undefined
  const predicted = normalize(await predict(manifest, live, input.client), patches)
  const patch = mergePatch(actual, predicted)
  return textOf(live, replicasScaled ? withoutReplicas(patch) : patch)
}

async function predict(manifest: KubeObject, live: KubeObject, client: KubeClient): Promise<KubeObject> {
  const body = { ...manifest, metadata: { ...manifest.metadata } } as KubeObject & { status?: unknown }
  delete body.status
  delete body.metadata.creationTimestamp
  try {
    return await client.apply<KubeObject>(body, { fieldManager: DRY_RUN_MANAGER, force: true, dryRun: true })
  } catch (error) {
    if (!isRefusal(error)) throw error
    // what was deployed can't be put back by a merge (an immutable field, a list with a clash): say what differs all the same
    return applyMergePatch(live, body) as KubeObject
  }
}

function isRefusal(error: unknown): boolean {
  const status = (error as { status?: unknown }).status
  return status === 400 || status === 409 || status === 422
}

function withoutReplicas(patch: unknown): unknown {
  const spec = (patch as { spec?: Record<string, unknown> } | undefined)?.spec
  if (!spec || !('replicas' in spec)) return patch
  const { replicas: _, ...rest } = spec
  const { spec: __, ...others } = patch as Record<string, unknown>
  const remaining = Object.keys(rest).length > 0 ? { ...others, spec: rest } : others
  return Object.keys(remaining).length > 0 ? remaining : undefined
}

function textOf(live: KubeObject, patch: unknown): string | undefined {
  if (patch === undefined) return undefined
  const isSecret = live.kind === 'Secret' && live.apiVersion === 'v1'
  return JSON.stringify(isSecret ? masked(patch as Record<string, unknown>) : patch)
}

function masked(patch: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => [key, key === 'data' || key === 'stringData' ? maskValues(value) : value]),
  )
}

function maskValues(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inner === null ? null : '***']))
}
