// Strategic merge patches: lists of built-in kinds are merged by the keys of the Kubernetes API, and `$patch`, `$retainKeys`,
// `$setElementOrder` and `$deleteFromPrimitiveList` say what a plain merge can't.
import { isDeepStrictEqual } from 'node:util'
import { isMap } from '../json/is-map.ts'
import { PatchError } from './error.ts'
import { type Fields, fieldOf, setField } from './fields.ts'
import data from './kinds.generated.json' with { type: 'json' }

/** A field that holds an object or a list. Without a type its contents merge as plain JSON. */
interface FieldRule {
  readonly type?: string
  readonly replace?: true
  readonly list?: 'merge' | 'replace'
  /** what tells the items of a merged list apart; absent for lists of texts and numbers */
  readonly key?: string
}
type TypeRules = Readonly<Record<string, FieldRule>>

const KINDS: Readonly<Record<string, string>> = data.kinds
const TYPES = data.types as unknown as Readonly<Record<string, TypeRules>>
const DIRECTIVE = '$patch'
const RETAIN = '$retainKeys'
const ORDER = '$setElementOrder/'
const DELETE = '$deleteFromPrimitiveList/'

/** Whether the lists of this kind have merge keys that are known here; other kinds take merge patches. */
export function isBuiltInKind({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean {
  return Object.hasOwn(KINDS, `${apiVersion} ${kind}`)
}

/** An object of a built-in kind after a strategic merge patch; neither is changed. Throws {@link PatchError} for other kinds and for patches that do not fit. */
export function applyStrategicMerge(kind: { readonly apiVersion: string; readonly kind: string }, document: Fields, patch: Fields): Fields {
  const type = isBuiltInKind(kind) ? KINDS[`${kind.apiVersion} ${kind.kind}`] : undefined
  if (type === undefined) throw new PatchError(`${kind.apiVersion} ${kind.kind} is not a built-in kind`)
  return mergeFields(structuredClone(document), structuredClone(patch), TYPES[type], kind.kind)
}

function mergeFields(original: Fields, patch: Fields, rules: TypeRules | undefined, path: string): Fields {
  const directive = fieldOf(patch, DIRECTIVE)
  if (directive !== undefined) return replaceOrDelete(patch, directive, path)
  retainKeys(original, patch, path)
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN || key.startsWith(ORDER)) continue
    if (key.startsWith(DELETE)) deletePrimitives(original, key.slice(DELETE.length), value)
    else if (value === null) delete original[key]
    else setField(original, key, mergeField(original, key, value, rules, `${path}.${key}`, fieldOf(patch, `${ORDER}${key}`)))
  }
  for (const key of Object.keys(patch)) {
    const name = key.slice(ORDER.length)
    if (key.startsWith(ORDER) && !Object.hasOwn(patch, name)) reorder(original, name, patch[key], ruleOf(rules, name, path))
  }
  return original
}

function replaceOrDelete(patch: Fields, directive: unknown, path: string): Fields {
  const { [DIRECTIVE]: _, ...rest } = patch
  if (directive === 'replace') return rest
  if (directive === 'delete') return {}
  throw new PatchError(`${path}: $patch is "replace" or "delete", not ${JSON.stringify(directive)}`)
}

/** `$retainKeys` names all fields that stay. */
function retainKeys(original: Fields, patch: Fields, path: string): void {
  const retained = fieldOf(patch, RETAIN)
  if (retained === undefined) return
  if (!Array.isArray(retained)) throw new PatchError(`${path}: $retainKeys is a list of field names`)
  const given = Object.keys(patch).find((key) => !key.startsWith('$') && patch[key] !== null && !retained.includes(key))
  if (given !== undefined) throw new PatchError(`${path}: the field ${given} is set, but $retainKeys does not name it`)
  for (const key of Object.keys(original)) if (!retained.includes(key)) delete original[key]
}

function deletePrimitives(original: Fields, key: string, values: unknown): void {
  const list = fieldOf(original, key)
  if (!Array.isArray(list) || !Array.isArray(values)) return
  setField(
    original,
    key,
    list.filter((item) => !values.includes(item)),
  )
}

function mergeField(original: Fields, key: string, value: unknown, rules: TypeRules | undefined, path: string, order: unknown): unknown {
  const present = fieldOf(original, key)
  if (isMap(present) && isMap(value)) {
    const rule = ruleOf(rules, key, path)
    return rule.replace ? clean(value) : mergeFields(present, value, rule.type === undefined ? undefined : TYPES[rule.type], path)
  }
  if (Array.isArray(present) && Array.isArray(value)) {
    const rule = ruleOf(rules, key, path)
    const merged = rule.list === 'merge' ? mergeLists(present, value, rule, path) : value.map(clean)
    return Array.isArray(order) ? inOrder(merged, order, rule.key) : merged
  }
  return clean(value)
}

function ruleOf(rules: TypeRules | undefined, key: string, path: string): FieldRule {
  if (!rules) return {}
  const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
  if (!rule) throw new PatchError(`${path}: Kubernetes knows no such field`)
  return rule
}

function mergeLists(original: readonly unknown[], patch: readonly unknown[], rule: FieldRule, path: string): unknown[] {
  if (rule.key === undefined) return [...new Set([...original, ...patch])]
  const { key } = rule
  if (patch.some((item) => isMap(item) && item[DIRECTIVE] === 'replace' && !Object.hasOwn(item, key)))
    return patch.filter((item) => !(isMap(item) && item[DIRECTIVE] === 'replace')).map(clean)
  const merged = [...original]
  const named = patch.map((item) => keyed(item, key, path))
  for (const { item, value } of named) {
    const index = merged.findIndex((candidate) => sameKey(candidate, key, value))
    const present = merged[index]
    if (item[DIRECTIVE] === 'delete') {
      if (index >= 0) merged.splice(index, 1)
    } else if (isMap(present)) {
      merged[index] = mergeFields(present, item, rule.type === undefined ? undefined : TYPES[rule.type], `${path}[${String(value)}]`)
    } else {
      merged.push(clean(item))
    }
  }
  const patched = named.flatMap(({ value }) => merged.find((item) => sameKey(item, key, value)) ?? [])
  return interleave(
    original.flatMap((item) => merged.find((candidate) => isMap(item) && sameKey(candidate, key, item[key])) ?? []),
    patched,
  )
}

function keyed(item: unknown, key: string, path: string): { item: Fields; value: unknown } {
  if (!isMap(item)) throw new PatchError(`${path}: an item of this list is an object with the field ${key}`)
  const value = fieldOf(item, key)
  if (value === undefined || value === null) throw new PatchError(`${path}: an item lacks the field ${key}, by which this list is merged`)
  return { item, value }
}

function sameKey(item: unknown, key: string, value: unknown): boolean {
  return isMap(item) && isDeepStrictEqual(fieldOf(item, key), value)
}

/** Patched items stand in the order of the patch; the others keep their places among them, and come before what is new. */
function interleave(original: readonly unknown[], patched: readonly unknown[]): unknown[] {
  const [others, rest] = [original.filter((item) => !patched.includes(item)), [...patched]]
  const result: unknown[] = []
  for (const item of others) {
    const place = original.indexOf(item)
    while (rest[0] !== undefined && original.includes(rest[0]) && original.indexOf(rest[0]) < place) result.push(rest.shift())
    result.push(item)
  }
  return [...result, ...rest]
}

function reorder(original: Fields, key: string, order: unknown, rule: FieldRule): void {
  const list = fieldOf(original, key)
  if (Array.isArray(list) && Array.isArray(order)) setField(original, key, inOrder(list, order, rule.key))
}

/** Items in the order that `$setElementOrder` tells; those it does not name come after. */
function inOrder(list: readonly unknown[], order: readonly unknown[], key: string | undefined): unknown[] {
  const nameOf = (item: unknown) => (key !== undefined && isMap(item) ? fieldOf(item, key) : item)
  const names = order.map(nameOf)
  const rank = (item: unknown) => {
    const index = names.findIndex((name) => isDeepStrictEqual(name, nameOf(item)))
    return index < 0 ? names.length : index
  }
  return [...list].sort((left, right) => rank(left) - rank(right))
}

/** What is taken from a patch as it is: without nulls and directives. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !(isMap(item) && item[DIRECTIVE] === 'delete')).map(clean)
  if (!isMap(value)) return value
  const result: Fields = {}
  for (const [key, inner] of Object.entries(value)) {
    if (inner !== null && key !== DIRECTIVE && key !== RETAIN && !key.startsWith(ORDER) && !key.startsWith(DELETE))
      setField(result, key, clean(inner))
  }
  return result
}
