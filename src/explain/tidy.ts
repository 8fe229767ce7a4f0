// Objects as they should be: users and old versions write nulls, and leave out what is always there.
import type { KubeObject } from '../lib/kube/types.ts'

/** Nothing that is stored nests deeper; what does is cut off. */
const MAX_DEPTH = 100

/** Objects without nulls, with metadata and spec. Those that need no change stay the same. What is no object is left out. */
export function tidy<T extends KubeObject & { spec?: unknown }>(objects: readonly (T | null | undefined)[] | null | undefined): T[] {
  return (objects ?? []).flatMap((object) => {
    if (object === null || object === undefined || typeof object !== 'object') return []
    const clean = withoutNulls(object, 0) as T
    if (clean.metadata?.name !== undefined && clean.spec !== undefined) return [clean]
    return [{ ...clean, metadata: { ...clean.metadata, name: clean.metadata?.name ?? '' }, spec: clean.spec ?? {} }]
  })
}

function withoutNulls(value: unknown, depth: number): unknown {
  if (value === null || depth > MAX_DEPTH) return undefined
  if (typeof value !== 'object') return value
  return Array.isArray(value) ? cleanList(value, depth) : cleanMap(value as Record<string, unknown>, depth)
}

function cleanList(list: readonly unknown[], depth: number): readonly unknown[] {
  const clean = list.map((item) => withoutNulls(item, depth + 1)).filter((item) => item !== undefined)
  return clean.length === list.length && clean.every((item, index) => item === list[index]) ? list : clean
}

function cleanMap(map: Record<string, unknown>, depth: number): Record<string, unknown> {
  let isChanged = false
  const entries: [string, unknown][] = []
  for (const [key, value] of Object.entries(map)) {
    const clean = withoutNulls(value, depth + 1)
    isChanged ||= clean !== value
    if (clean !== undefined) entries.push([key, clean])
  }
  return isChanged ? Object.fromEntries(entries) : map
}
