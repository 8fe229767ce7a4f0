// Content: the files of a bundle, stored once for all deployments, named by their hash.
import { bytes, integer, kind, object, type Static, text } from './schema.ts'

export const Content = kind(
  {
    content: bytes('The files: gzip of JSON.'),
    sha256sum: text('Hash of the JSON, in hex.'),
    status: object({ referenceCount: integer('Deployments that use it.') }, 'Use.'),
  },
  'The files of a bundle, named by their hash. Made by Fleet; never changed.',
)
/** The files of a bundle, named by their hash. */
export type Content = Static<typeof Content>
