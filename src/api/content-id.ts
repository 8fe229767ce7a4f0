// The stored form of a bundle's files, and the id that is its hash (spec 5.5).
import { createHash } from 'node:crypto'
import { goList, goStruct, goText } from '../lib/json/go-struct.ts'
import type { BundleResource } from './bundle.ts'

const manifest = goStruct({ resources: goList(goStruct({ name: goText, content: goText, encoding: goText })) })

/** A bundle's files as they are stored and named. */
export interface EncodedContent {
  /** `s-` and 61 digits of the hash: name of the Content, tag and secret of an OCI artifact. */
  readonly id: string
  readonly sha256: string
  /** The JSON that is hashed, with a newline at its end. */
  readonly json: string
}

/** Encodes files in the order given; readers sort by name. Takes 10 ms per megabyte or so: cache by uid and generation. */
export function encodeContent(resources: readonly BundleResource[] | null | undefined): EncodedContent {
  const json = `${manifest.write({ resources })}\n`
  const sha256 = createHash('sha256').update(json).digest('hex')
  return { id: contentIdOf(sha256), sha256, json }
}

/** The id of contents, by the hash of their JSON in hex. */
export function contentIdOf(sha256: string): string {
  return `s-${sha256}`.slice(0, 63)
}
