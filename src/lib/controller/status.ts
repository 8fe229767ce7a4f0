// Status writes: only the fields that differ, only those the writer owns, and only on top of the version they were computed from.

import { isMap } from '../json/is-map.ts'
import type { KubeClient } from '../kube/client.ts'
import { isNotFound } from '../kube/errors.ts'
import type { KubeObject } from '../kube/types.ts'

export interface WriteStatusOptions {
  /** Top-level fields of the status this writer is responsible for; others are neither changed nor removed. Default: all. */
  owned?: readonly string[] | undefined
}

export interface RememberOptions extends WriteStatusOptions {
  /** The cached object for which the answer is remembered, when the write is on top of a newer one that was read after a conflict. */
  cached?: KubeObject | undefined
}

/** An object with a status of any shape. */
type WithStatus = KubeObject & { status?: unknown }

/**
 * Brings the owned fields of the object's status to `next` by one merge patch: lists are replaced as a whole, fields that are missing in `next` are removed.
 * The patch carries the object's resourceVersion: if somebody else wrote meanwhile, it fails with a conflict and nothing is lost.
 * Returns false, without a request, if nothing differs; also if the object is gone.
 */
export async function writeStatus(
  client: KubeClient,
  object: WithStatus,
  next: object,
  options: WriteStatusOptions = {},
): Promise<boolean> {
  return (await patchStatus(client, object, next, options)) !== undefined
}

/** Status writes of a controller that knows what it wrote last, even before its cache does. */
export interface StatusWriter {
  /** The newest known version of a cached object: the answer to our own last write while the cache still holds the version before. */
  latest<T extends WithStatus>(object: T): T
  /** Whether a write would change anything. */
  differs(object: WithStatus, next: object, options?: WriteStatusOptions): boolean
  /** As {@link writeStatus}, on top of {@link latest}. So a cache that lags behind our own writes causes no conflict. */
  write(object: WithStatus, next: object, options?: RememberOptions): Promise<boolean>
}

/** A status writer. What it remembers lives as long as the cached object it belongs to. */
export function createStatusWriter(client: KubeClient): StatusWriter {
  const written = new WeakMap<WithStatus, WithStatus>()

  function latest<T extends WithStatus>(object: T): T {
    return (written.get(object) as T | undefined) ?? object
  }

  return {
    latest,
    differs: (object, next, options = {}) => statusDifference(latest(object), next, options) !== undefined,
    async write(object, next, options = {}) {
      const result = await patchStatus(client, latest(object), next, options)
      if (result) written.set(options.cached ?? object, result)
      return result !== undefined
    },
  }
}

async function patchStatus(
  client: KubeClient,
  object: WithStatus,
  next: object,
  options: WriteStatusOptions,
): Promise<WithStatus | undefined> {
  const status = statusDifference(object, next, options)
  if (!status) return undefined
  const { apiVersion, kind, metadata } = object
  const ref = { apiVersion, kind, name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) }
  const precondition = metadata.resourceVersion ? { metadata: { resourceVersion: metadata.resourceVersion } } : {}
  try {
    return await client.patch<WithStatus>(ref, { ...precondition, status }, { type: 'merge', subresource: 'status' })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function statusDifference(object: WithStatus, next: object, { owned }: WriteStatusOptions): Fields | undefined {
  return difference(fieldsOf(object.status, owned), fieldsOf(next, owned))
}

type Fields = Record<string, unknown>

function fieldsOf(status: unknown, owned: readonly string[] | undefined): Fields {
  if (!isMap(status)) return {}
  return owned ? Object.fromEntries(owned.map((name) => [name, status[name]])) : status
}

/** The merge patch from one object to another, undefined if they are equal. A field that is null or undefined counts as missing. */
function difference(from: Fields, to: Fields): Fields | undefined {
  const patch: Fields = {}
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const change = fieldDifference(from[name] ?? undefined, to[name] ?? undefined)
    if (change !== undefined) patch[name] = change
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

function fieldDifference(from: unknown, to: unknown): unknown {
  if (to === undefined) return from === undefined ? undefined : null
  if (isMap(from) && isMap(to)) return difference(from, to)
  return isSame(from, to) ? undefined : to
}

/** Deep equality of JSON values, where a missing field equals one that is undefined or null. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  if (isMap(a) && isMap(b)) return difference(a, b) === undefined
  return (a ?? undefined) === undefined && (b ?? undefined) === undefined
}
