// Files as a Bundle carries them: text as it is, anything else compressed; all of it compressed when the Bundle gets too big (spec 6.3).
import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Bundle, BundleResource } from '../api/bundle.ts'
import { marshalGoJson } from '../lib/json/go-json.ts'
import { compareUtf8 } from '../lib/json/utf8.ts'
import type { LoadedFile } from './load.ts'

/** The encoding of everything that is not plain text. */
export const COMPRESSED = 'base64+gz'

/** From this size of its JSON on, a Bundle is stored with compressed files. */
const COMPRESS_FROM_BYTES = 1_000_000
/** What Go writes of a status that nobody has set. */
const EMPTY_STATUS = {
  summary: { ready: 0, desiredReady: 0 },
  unavailable: 0,
  unavailablePartitions: 0,
  maxUnavailable: 0,
  maxUnavailablePartitions: 0,
  display: {},
  observedGeneration: 0,
}
/** An escaped character takes six bytes of JSON. */
const LONGEST_ESCAPE = 6

const compress = promisify(gzip)

/** Resources by name. */
export async function encodeFiles(files: readonly LoadedFile[], compressAll: boolean): Promise<BundleResource[]> {
  const resources: BundleResource[] = []
  for (const { name, content } of files) {
    if (!compressAll && isUtf8(content)) resources.push({ name, ...(content.length > 0 ? { content: content.toString('utf8') } : {}) })
    else resources.push({ name, content: (await compress(content)).toString('base64'), encoding: COMPRESSED })
  }
  return resources.sort((a, b) => compareUtf8(a.name ?? '', b.name ?? ''))
}

/**
 * Whether the Bundle has to be stored with compressed files. What counts is its JSON as Go writes it, escapes included, at a moment when the Bundle
 * has no kind and no namespace, but a status: to the byte, because contents that are stored differently have another id.
 */
export function isTooBig({ metadata, spec }: Bundle): boolean {
  const { namespace: _later, ...given } = metadata
  const { resources = [], ...rest } = spec ?? {}
  const others = Buffer.byteLength(marshalGoJson({ metadata: given, spec: rest, status: EMPTY_STATUS }))
  const characters = resources.reduce((sum, { name = '', content = '' }) => sum + name.length + content.length + 64, others)
  if (characters * LONGEST_ESCAPE < COMPRESS_FROM_BYTES) return false
  return Buffer.byteLength(marshalGoJson({ metadata: given, spec, status: EMPTY_STATUS })) >= COMPRESS_FROM_BYTES
}
