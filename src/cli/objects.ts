// Objects to text and back.
import { TerminalError } from '../lib/controller/errors.ts'
import { encodeExactJson } from '../lib/json/exact-json.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { YamlError } from '../lib/yaml/error.ts'
import { parseYamlDocuments } from '../lib/yaml/parse.ts'
import { stringifyYaml } from '../lib/yaml/stringify.ts'

export type Format = 'yaml' | 'json'

/** Contents are base64 of gzip: a single value may be as large as the file. */
const MAX_BYTES = 256 * 2 ** 20

/** Several objects as YAML documents, or as a JSON `List` that kubectl reads, too. */
export function formatObjects(objects: readonly KubeObject[], format: Format): string {
  if (format === 'json') return `${encodeExactJson({ apiVersion: 'v1', kind: 'List', items: objects }, 2)}\n`
  return objects.map((object) => `---\n${stringifyYaml(object, { lossless: true })}`).join('')
}

/** Objects as a YAML list or a JSON array. */
export function formatList(objects: readonly KubeObject[], format: Format): string {
  return format === 'json' ? `${encodeExactJson(objects, 2)}\n` : stringifyYaml(objects, { lossless: true })
}

/** The objects of a file in YAML or JSON, those of a `List` one by one. Throws TerminalError with line and column. */
export function parseObjects(text: string, file: string): KubeObject[] {
  return documents(text, file).flatMap((document) => objectsOf(document, file))
}

function documents(text: string, file: string): unknown[] {
  try {
    return parseYamlDocuments(text, { maxBytes: MAX_BYTES })
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const place = error.line > 0 ? `:${error.line}:${error.column}` : ''
    throw new TerminalError(`${file}${place}: ${error.reason}`)
  }
}

function objectsOf(document: unknown, file: string): KubeObject[] {
  if (document === null) return []
  const { apiVersion, kind, items, metadata } = document as { apiVersion?: unknown; kind?: unknown; items?: unknown; metadata?: unknown }
  if (typeof document !== 'object' || typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new TerminalError(`${file} holds something that is no object: apiVersion and kind are missing`)
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => objectsOf(item, file))
  const given = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as KubeObject['metadata']
  return [{ ...document, apiVersion, kind, metadata: given }]
}
