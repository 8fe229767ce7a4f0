// Whether a live object still is what was deployed, and if not, the patch that would undo the change (spec 7.6 steps 3 and 4).
import { createHash } from 'node:crypto'
import { encodeExactJson } from '../../lib/json/exact-json.ts'
import { marshalGoJson } from '../../lib/json/go-json.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import { ApiError, isConflict, isNotFound } from '../../lib/kube/errors.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { expected } from './expected.ts'
import { isSubset, mergePatch } from './merge-patch.ts'
import { mergedLists } from './merged-lists.ts'
import { type ComparePatch, normalize } from './normalize.ts'
import { overlay } from './overlay.ts'

/** Names us in dry runs; it never owns a field. */
const DRY_RUN = { fieldManager: 'fleetagent-drift', dryRun: true } as const
/** Answers that say nothing about the object: the cluster, or our way to it, is in trouble. */
const TROUBLE: readonly number[] = [401, 429, 502, 503, 504]

interface CompareInput {
  readonly desired: KubeObject
  readonly live: KubeObject
  readonly patches: readonly ComparePatch[]
  /** `spec.replicas` belongs to an autoscaler that allows the live number */
  readonly replicasScaled: boolean
  readonly client: KubeClient
  /** what was found of the same manifest before */
  readonly before?: Comparison | undefined
}

export interface Comparison {
  /** The merge patch that would undo what was changed, as text; undefined when nothing was. Values of Secrets are masked. */
  readonly patch?: string | undefined
  /** Stands for what was compared, where the API server had to be asked: for the same things it need not be asked again. */
  readonly basis?: string | undefined
}

/**
 * Compares; undefined when the live object is not the newest one, and is to be read again.
 * A manifest that is contained in the live object needs no request. Otherwise the API server says by a dry run what applying it would
 * give, so that its defaults and canonical forms are no drift.
 */
export async function compare({ desired, live, patches, replicasScaled, client, before }: CompareInput): Promise<Comparison | undefined> {
  const manifest = expected(desired, live, { replicasScaled })
  const wanted = normalize(manifest, patches)
  const actual = normalize(live, patches)
  if (isSubset(wanted, actual, mergedLists(desired))) return {}
  const basis = digest([wanted, actual])
  if (before?.basis === basis) return before
  const predicted = await predict(manifest, live, client)
  if (predicted.metadata.resourceVersion !== live.metadata.resourceVersion) return undefined
  return { patch: textOf(live, mergePatch(actual, normalize(predicted, patches))), basis }
}

/** The object as it would be after its manifest was applied. Its resourceVersion is that of the object that it was computed for. */
async function predict(manifest: KubeObject, live: KubeObject, client: KubeClient): Promise<KubeObject> {
  try {
    return await client.apply<KubeObject>(manifest, { ...DRY_RUN, force: true })
  } catch (error) {
    if (!isRefusal(error)) throw error
  }
  // what could be created can't always be applied: fields that are pruned, entries that stand twice in a list, webhooks that know no dry runs
  const updated = await predictUpdate(overlay(live, manifest, { keepEmpty: true }) as KubeObject, client)
  if (updated) return updated
  // nor can fields always stand side by side: a volume has one source
  const replaced = await predictUpdate(overlay(live, manifest, { keepEmpty: true, replaceLists: true }) as KubeObject, client)
  return replaced ?? (overlay(live, manifest) as KubeObject) // it can't be put back (an immutable field, a policy): say what differs all the same
}

/** The object as an update would leave it; undefined when the update is refused. */
async function predictUpdate(merged: KubeObject, client: KubeClient): Promise<KubeObject | undefined> {
  try {
    return await client.update(merged, { ...DRY_RUN, fieldValidation: 'Ignore' })
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return { ...merged, metadata: { ...merged.metadata, resourceVersion: '' } } // changed since it was read
    if (!isRefusal(error) || (error as ApiError).status >= 500) throw error
    return undefined
  }
}

/** A manifest that cannot be read is an internal error to some API servers. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && !TROUBLE.includes(error.status)
}

function digest(value: unknown): string {
  return createHash('sha256').update(encodeExactJson(value)).digest('base64')
}

function textOf(live: KubeObject, patch: unknown): string | undefined {
  if (patch === undefined) return undefined
  const isSecret = live.kind === 'Secret' && live.apiVersion === 'v1'
  return marshalGoJson(isSecret ? masked(patch as Record<string, unknown>) : patch)
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
