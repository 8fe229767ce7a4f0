// Text of manifests to objects and back.

import { parseExactJson } from '../../lib/json/exact-json.ts'
import { isMap } from '../../lib/json/is-map.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { YamlError } from '../../lib/yaml/error.ts'
import { parseYamlDocuments } from '../../lib/yaml/parse.ts'
import { stringifyYaml } from '../../lib/yaml/stringify.ts'
import { RenderError } from './render-error.ts'

/** Objects that a bundle may consist of. */
const MAX_OBJECTS = 20_000

/**
 * The objects in a text of YAML documents; those of a `List` count one by one.
 * Throws a permanent {@link RenderError} that names `source` when the text is no YAML, or holds something else.
 */
export function parseObjects(text: string, source: string): KubeObject[] {
  return counted(
    documents(text, source).flatMap((document) => objectsOf(document, source)),
    source,
  )
}

/**
 * The objects in a file of a bundle of plain manifests, as {@link parseObjects}. YAML that is no manifest may lie beside manifests: a file with a document that
 * has no kind is passed over, and so is a document without a version, as Go Fleet does.
 */
export function parseManifest(text: string, source: string): KubeObject[] {
  const found = documents(text, source)
  if (found.some((document) => isMap(document) && !isEmpty(document) && !document.kind)) return []
  return counted(
    found.filter((document) => !isMap(document) || document.apiVersion).flatMap((document) => objectsOf(document, source)),
    source,
  )
}

function counted(objects: KubeObject[], source: string): KubeObject[] {
  if (objects.length > MAX_OBJECTS) throw new RenderError(`${source} holds more than ${MAX_OBJECTS} objects`, 'invalid-manifest')
  return objects
}

/** YAML documents of the objects. */
export function formatObjects(objects: readonly KubeObject[]): string {
  return objects.map((object) => stringifyYaml(object, { lossless: true })).join('---\n')
}

function documents(text: string, source: string): unknown[] {
  try {
    if (source.endsWith('.json')) return [parseExactJson(text)]
  } catch {
    // several documents in one file, or YAML under another name: the YAML reader knows both
  }
  try {
    return parseYamlDocuments(text, { bigIntegers: true })
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new RenderError(`${source} is no valid YAML: ${error.message}`, 'broken-yaml', { cause: error })
  }
}

function objectsOf(document: unknown, source: string): KubeObject[] {
  if (document === null || document === undefined || (isMap(document) && isEmpty(document))) return []
  if (!isObject(document))
    throw new RenderError(`${source} holds something that is no object: a manifest needs apiVersion, kind and metadata`, 'invalid-manifest')
  const { items } = document as { items?: unknown }
  if (document.kind.endsWith('List') && items === null) return []
  if (document.kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => objectsOf(typed(item, document), source))
  return [{ ...document, metadata: document.metadata ?? {} }]
}

/** The items of a list of one kind need not name it. */
function typed(item: unknown, { apiVersion, kind }: KubeObject): unknown {
  if (kind === 'List' || !isMap(item) || item.kind || item.apiVersion) return item
  return { apiVersion, kind: kind.slice(0, -'List'.length), ...item }
}

function isEmpty(value: Record<string, unknown>): boolean {
  return Object.keys(value).length === 0
}

function isObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>
  return (
    typeof apiVersion === 'string' &&
    typeof kind === 'string' &&
    (metadata === undefined || metadata === null || typeof metadata === 'object')
  )
}
