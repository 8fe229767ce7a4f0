// JSON patches (RFC 6902), as Kubernetes' tools apply them: negative indexes count from the end, and a missing field equals null in a test.
import { isDeepStrictEqual } from 'node:util'
import { isMap } from '../json/is-map.ts'
import { PatchError } from './error.ts'
import { fieldOf, setField } from './fields.ts'

/** Longer patches are refused. */
const MAX_OPERATIONS = 10_000
const INDEX = /^[+-]?\d{1,9}$/

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string | undefined
  readonly value?: unknown
}

/** The document after all operations, in order; the one given is not changed. Throws {@link PatchError} for the first that does not apply. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new PatchError('a JSON patch is a list of operations')
  if (patch.length > MAX_OPERATIONS) throw new PatchError(`a JSON patch has at most ${MAX_OPERATIONS} operations, this one ${patch.length}`)
  return patch.reduce((current, operation, index) => applyOne(current, parse(operation, index)), structuredClone(document))
}

function parse(operation: unknown, index: number): Operation {
  const { op, path, from, value } = isMap(operation) ? operation : {}
  if (typeof op !== 'string' || typeof path !== 'string' || (from !== undefined && typeof from !== 'string'))
    throw new PatchError(`operation ${index} of the JSON patch needs "op" and "path" as texts`)
  return { op, path, from, value }
}

function applyOne(document: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case 'add':
      return add(document, path, structuredClone(value))
    case 'remove':
      return take(document, path).document
    case 'replace':
      return path === '' ? structuredClone(value) : replace(document, path, structuredClone(value))
    case 'move': {
      const taken = take(document, from ?? '')
      return add(taken.document, path, taken.value)
    }
    case 'copy':
      return add(document, path, structuredClone(at(document, from ?? '')))
    case 'test':
      return test(document, path, value)
    default:
      throw new PatchError(`"${op}" is not an operation of JSON patches: use add, remove, replace, move, copy or test`)
  }
}

/** The container that a pointer ends in, and the last part of the pointer. */
function locate(document: unknown, path: string): { parent: unknown[] | Record<string, unknown>; key: string } {
  if (!path.startsWith('/')) throw new PatchError(`the path "${path}" must begin with /`)
  const parts = path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = parts.pop() ?? ''
  const parent = parts.reduce((current, part) => child(current, part, path), document)
  if (!Array.isArray(parent) && !isMap(parent)) throw new PatchError(`there is nothing at the path "${path}"`)
  return { parent, key }
}

function child(container: unknown, part: string, path: string): unknown {
  if (Array.isArray(container)) return container[existing(container, part, path)]
  if (isMap(container)) return fieldOf(container, part)
  throw new PatchError(`there is nothing at the path "${path}"`)
}

/** The index of an item that is there. */
function existing(list: readonly unknown[], key: string, path: string): number {
  const index = INDEX.test(key) ? Number(key) : Number.NaN
  const fromStart = index < 0 ? index + list.length : index
  if (!(fromStart >= 0 && fromStart < list.length)) throw new PatchError(`the list at "${path}" has no item ${key}`)
  return fromStart
}

function at(document: unknown, path: string): unknown {
  if (path === '') return document
  const { parent, key } = locate(document, path)
  return child(parent, key, path)
}

function add(document: unknown, path: string, value: unknown): unknown {
  if (path === '') return value
  const { parent, key } = locate(document, path)
  if (!Array.isArray(parent)) setField(parent, key, value)
  else if (key === '-') parent.push(value)
  else parent.splice(place(parent, key, path), 0, value)
  return document
}

/** Where an item can be inserted: before an item that is there, or at the end. */
function place(list: readonly unknown[], key: string, path: string): number {
  const index = INDEX.test(key) ? Number(key) : Number.NaN
  const fromStart = index < 0 ? index + list.length + 1 : index
  if (!(fromStart >= 0 && fromStart <= list.length)) throw new PatchError(`the list at "${path}" has no place ${key}`)
  return fromStart
}

function take(document: unknown, path: string): { document: unknown; value: unknown } {
  const { parent, key } = locate(document, path)
  if (Array.isArray(parent)) return { value: parent.splice(existing(parent, key, path), 1)[0], document }
  if (!Object.hasOwn(parent, key)) throw new PatchError(`there is nothing at the path "${path}"`)
  const value = parent[key]
  delete parent[key]
  return { value, document }
}

function replace(document: unknown, path: string, value: unknown): unknown {
  const { parent, key } = locate(document, path)
  if (Array.isArray(parent)) parent[existing(parent, key, path)] = value
  else if (Object.hasOwn(parent, key)) setField(parent, key, value)
  else throw new PatchError(`there is nothing at the path "${path}" to replace`)
  return document
}

function test(document: unknown, path: string, expected: unknown): unknown {
  if (!isDeepStrictEqual(at(document, path) ?? null, expected ?? null))
    throw new PatchError(`the value at "${path}" is another than the patch expects`)
  return document
}
