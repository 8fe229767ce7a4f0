// The text that stands in a commit for a file that is kept elsewhere (git LFS).

/** A file in the store of large files. */
export interface LargeFile {
  /** SHA-256, hexadecimal. */
  readonly oid: string
  readonly size: number
}

/** Anything longer is no pointer. */
export const MAX_POINTER_BYTES = 1_024

const VERSION = /^version https?:\/\/(?:git-lfs\.github\.com|hawser\.github\.com|git-media\.io)\/[^\n]*\n/

/** What a pointer points to; undefined for any other text. */
export function parsePointer(text: string): LargeFile | undefined {
  if (text.length >= MAX_POINTER_BYTES || !VERSION.test(text)) return undefined
  const [, oid] = /^oid sha256:([0-9a-f]{64})$/m.exec(text) ?? []
  const [, size] = /^size (\d{1,15})$/m.exec(text) ?? []
  return oid === undefined || size === undefined ? undefined : { oid, size: Number(size) }
}
