// Takes out of objects what must not leave the cluster unless it is asked for.
import { SET_APPLIED_ANNOTATION } from '../../api/labels.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

const HIDDEN = '***'
/** Annotations with a copy of the whole object. */
const COPIES = ['kubectl.kubernetes.io/last-applied-configuration', SET_APPLIED_ANNOTATION]
/** How a message names a secret that was changed; what follows is a JSON object. */
const CHANGED_SECRET = /\bsecret\.v1 \S+ modified (?=\{)/g

/** A secret without its data, not even in annotations. */
export function secretMetadata(secret: KubeObject): KubeObject {
  const { data: _, stringData: __, ...rest } = secret as KubeObject & { data?: unknown; stringData?: unknown }
  const { annotations, ...metadata } = rest.metadata
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !COPIES.includes(key))
  return { ...rest, metadata: { ...metadata, ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}) } }
}

/** A content without its bytes. */
export function contentMetadata(content: KubeObject): KubeObject {
  const { content: _, ...rest } = content as KubeObject & { content?: unknown }
  return rest
}

/** An object whose status tells that secrets were changed, but not what is in them. */
export function withoutSecretPatches<T extends KubeObject>(object: T): T {
  const { status } = object as T & { status?: unknown }
  return status === undefined ? object : { ...object, status: redacted(status) }
}

function redacted(value: unknown): unknown {
  if (typeof value === 'string') return redactedText(value)
  if (Array.isArray(value)) return value.map(redacted)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.fromEntries(Object.entries(value).map(([key, field]) => [key, redacted(field)]))
  return fields.kind === 'Secret' && typeof fields.patch === 'string' ? { ...fields, patch: HIDDEN } : fields
}

function redactedText(text: string): string {
  let result = ''
  let end = 0
  for (const match of text.matchAll(CHANGED_SECRET)) {
    const start = match.index + match[0].length
    if (start < end) continue
    result += `${text.slice(end, start)}${HIDDEN}`
    end = endOfObject(text, start)
  }
  return result + text.slice(end)
}

/** Where the JSON object that begins at `start` ends; the end of the text if it was cut off. */
function endOfObject(text: string, start: number): number {
  let depth = 0
  let isQuoted = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (isQuoted && character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (!isQuoted && character === '{') depth++
    else if (!isQuoted && character === '}' && --depth === 0) return at + 1
  }
  return text.length
}
