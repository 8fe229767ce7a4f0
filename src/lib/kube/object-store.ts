// The objects of a cache: by key, by namespace, by index.
import { keyOf } from '../controller/keys.ts'
import type { InformerEvent } from './informer.ts'
import type { KubeObject } from './types.ts'

/** Values an object is found under. */
export type IndexFunction<T> = (object: T) => readonly string[]

export interface ObjectStore<T extends KubeObject> {
  readonly size: number
  get(name: string, namespace?: string): T | undefined
  list(namespace?: string): readonly T[]
  /** Throws when there is no such index. */
  by(index: string, value: string): readonly T[]
  /** Throws when another function has the name. */
  addIndex(name: string, values: IndexFunction<T>): void
  /** Puts the object in and says what that changed: nothing if its resourceVersion is the same; two events if it was deleted and created again meanwhile. */
  put(object: T): InformerEvent<T>[]
  /** Takes the object out if it is there. The event carries the given, last state of it. */
  remove(object: T): InformerEvent<T>[]
  /** Makes the contents equal to these objects and says what that changed. */
  replace(objects: readonly T[]): InformerEvent<T>[]
}

interface Index<T> {
  readonly values: IndexFunction<T>
  readonly sets: Map<string, Set<T>>
}

/** An empty store. Lookups by namespace are an index of their own. */
export function createObjectStore<T extends KubeObject>(): ObjectStore<T> {
  const objects = new Map<string, T>()
  const byNamespace: Index<T> = { values: (object) => [object.metadata.namespace ?? ''], sets: new Map() }
  const indexes = new Map<string, Index<T>>()

  function link(object: T): void {
    addTo(byNamespace, object)
    for (const index of indexes.values()) addTo(index, object)
  }

  function unlink(object: T): void {
    removeFrom(byNamespace, object)
    for (const index of indexes.values()) removeFrom(index, object)
  }

  function put(object: T): InformerEvent<T>[] {
    const key = keyOf(object)
    const old = objects.get(key)
    if (old && isSame(old, object)) return []
    const reborn = old?.metadata.uid !== undefined && old.metadata.uid !== object.metadata.uid
    const gone = reborn ? remove(old) : []
    if (old && !reborn) unlink(old)
    objects.set(key, object)
    link(object)
    return [...gone, old && !reborn ? { type: 'modified', object, old } : { type: 'added', object }]
  }

  function remove(object: T): InformerEvent<T>[] {
    const key = keyOf(object)
    const old = objects.get(key)
    if (!old) return []
    unlink(old)
    objects.delete(key)
    return [{ type: 'deleted', object, old }]
  }

  return {
    get size() {
      return objects.size
    },
    get: (name, namespace) => objects.get(namespace ? `${namespace}/${name}` : name),
    list: (namespace) => (namespace === undefined ? [...objects.values()] : [...(byNamespace.sets.get(namespace) ?? [])]),
    by(name, value) {
      const index = indexes.get(name)
      if (!index) throw new Error(`the cache has no index "${name}"`)
      return [...(index.sets.get(value) ?? [])]
    },
    addIndex(name, values) {
      const known = indexes.get(name)
      if (known?.values === values) return
      if (known) throw new Error(`the cache already has another index "${name}"`)
      const index: Index<T> = { values, sets: new Map() }
      indexes.set(name, index)
      for (const object of objects.values()) addTo(index, object)
    },
    put,
    remove,
    replace(next) {
      const present = new Set(next.map(keyOf))
      const gone = [...objects].filter(([key]) => !present.has(key)).flatMap(([, object]) => remove(object))
      return [...gone, ...next.flatMap(put)]
    },
  }
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  const { resourceVersion, uid } = a.metadata
  return resourceVersion !== undefined && resourceVersion === b.metadata.resourceVersion && uid === b.metadata.uid
}

function addTo<T>({ values, sets }: Index<T>, object: T): void {
  for (const value of values(object)) {
    const set = sets.get(value)
    if (set) set.add(object)
    else sets.set(value, new Set([object]))
  }
}

function removeFrom<T>({ values, sets }: Index<T>, object: T): void {
  for (const value of values(object)) {
    const set = sets.get(value)
    set?.delete(object)
    if (set?.size === 0) sets.delete(value)
  }
}
