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
/** An escaped character takes six bytes of JSON. */
const LONGEST_ESCAPE = 6

const compress = promisify(gzip)

/** Resources by name. */
export async function encodeFiles(files: readonly LoadedFile[], compressAll: boolean): Promise<BundleResource[]> {
  const resources: BundleResource[] = []
  for (const { name, content } of files) {
    if (!compressAll && isUtf8(content)) resources.push({ name, content: content.toString('utf8') })
    else resources.push({ name, content: (await compress(content)).toString('base64'), encoding: COMPRESSED })
  }
  return resources.sort((a, b) => compareUtf8(a.name ?? '', b.name ?? ''))
}

/** Whether the Bundle has to be stored with compressed files. What counts is its JSON as Go writes it, escapes included. */
export function isTooBig(bundle: Bundle): boolean {
  const { resources = [], ...rest } = bundle.spec ?? {}
  const others = Buffer.byteLength(marshalGoJson({ ...bundle, spec: rest }))
  const characters = resources.reduce((sum, { name = '', content = '' }) => sum + name.length + content.length + 64, others)
  if (characters * LONGEST_ESCAPE < COMPRESS_FROM_BYTES) return false
  return Buffer.byteLength(marshalGoJson(bundle)) >= COMPRESS_FROM_BYTES
}
