// Text of manifests to objects and back.
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
  const objects = documents(text, source).flatMap((document) => objectsOf(document, source))
  if (objects.length > MAX_OBJECTS) throw new RenderError(`${source} holds more than ${MAX_OBJECTS} objects`, 'invalid-manifest')
  return objects
}

/** YAML documents of the objects. */
export function formatObjects(objects: readonly KubeObject[]): string {
  return objects.map((object) => stringifyYaml(object, { lossless: true })).join('---\n')
}

function documents(text: string, source: string): unknown[] {
  try {
    if (source.endsWith('.json')) return [JSON.parse(text)]
  } catch {
    // several documents in one file, or YAML under another name: the YAML reader knows both
  }
  try {
    return parseYamlDocuments(text)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new RenderError(`${source} is no valid YAML: ${error.message}`, 'broken-yaml', { cause: error })
  }
}

function objectsOf(document: unknown, source: string): KubeObject[] {
  if (document === null || document === undefined) return []
  if (!isObject(document))
    throw new RenderError(`${source} holds something that is no object: a manifest needs apiVersion, kind and metadata`, 'invalid-manifest')
  const { items } = document as { items?: unknown }
  if (document.kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => objectsOf(item, source))
  return [{ ...document, metadata: document.metadata ?? {} }]
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
