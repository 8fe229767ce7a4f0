// From what has drifted to what fleet.yaml must say so that it is no drift any more.

import type { ComparePatch } from '../../api/bundle-deployment-options.ts'
import type { ModifiedStatus } from '../../api/status.ts'
import { isMap } from '../../lib/json/is-map.ts'

/** Operations that ignore what was modified, and the objects whose patch does not tell what that is. */
export interface IgnoringPatches {
  readonly patches: ComparePatch[]
  readonly unreadable: ModifiedStatus[]
}

/** One entry for each modified object; missing and extra ones cannot be ignored by operations. */
export function ignoringPatches(modified: readonly ModifiedStatus[]): IgnoringPatches {
  const patches: ComparePatch[] = []
  const unreadable: ModifiedStatus[] = []
  for (const one of modified) {
    if (!one.patch) continue
    const patch = parseObject(one.patch)
    const paths = patch ? pathsOf(patch, '') : []
    if (!patch) unreadable.push(one)
    else if (paths.length > 0) patches.push({ ...identityOf(one), operations: paths.map((path) => ({ op: 'remove', path })) })
  }
  return { patches, unreadable }
}

/** The patches that a bundle has, with operations added; one entry an object, in the order of their API version, kind, namespace and name. */
export function mergePatches(existing: readonly ComparePatch[], added: readonly ComparePatch[]): ComparePatch[] {
  const merged = new Map<string, ComparePatch>()
  for (const patch of [...existing, ...added]) {
    const key = [patch.apiVersion, patch.kind, patch.namespace, patch.name].map((part) => part ?? '').join('|')
    const before = merged.get(key)
    merged.set(key, before ? joined(before, patch) : patch)
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, patch]) => patch)
}

function joined(one: ComparePatch, other: ComparePatch): ComparePatch {
  const known = new Set((one.operations ?? []).map(keyOf))
  const operations = [...(one.operations ?? []), ...(other.operations ?? []).filter((operation) => !known.has(keyOf(operation)))]
  const jsonPointers = [...new Set([...(one.jsonPointers ?? []), ...(other.jsonPointers ?? [])])]
  return { ...one, ...(operations.length > 0 ? { operations } : {}), ...(jsonPointers.length > 0 ? { jsonPointers } : {}) }
}

function keyOf({ op, path, value }: NonNullable<ComparePatch['operations']>[number]): string {
  return JSON.stringify([op, path, value ?? ''])
}

function identityOf({ apiVersion, kind, namespace, name }: ModifiedStatus): ComparePatch {
  return {
    ...(apiVersion ? { apiVersion } : {}),
    ...(kind ? { kind } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  }
}

/** The fields that a merge patch touches, as JSON pointers (RFC 6901), sorted; an empty object stands for itself. */
function pathsOf(patch: Record<string, unknown>, base: string): string[] {
  return Object.keys(patch)
    .sort()
    .flatMap((key) => {
      const path = `${base}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const value = patch[key]
      const below = isMap(value) ? pathsOf(value, path) : []
      return below.length > 0 ? below : [path]
    })
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMap(value) ? value : undefined
  } catch {
    return undefined // hidden on purpose, or cut
  }
}
