// The hash of a referenced secret, kept in an annotation of the GitRepo: a change of the secret changes the GitRepo (spec 0.3).
import { createHash } from 'node:crypto'
import { compareUtf8 } from '../lib/json/utf8.ts'

/** Hash over keys and values (base64, as in a Secret's `data`) in the order of the keys, each preceded by its length. */
export function secretHash(data: Readonly<Record<string, string>> | undefined): string {
  const hash = createHash('sha256')
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(bytes.length))
    hash.update(length).update(bytes)
  }
  for (const [key, value] of Object.entries(data ?? {}).sort(([a], [b]) => compareUtf8(a, b))) {
    add(Buffer.from(key))
    add(Buffer.from(value, 'base64'))
  }
  return hash.digest('hex')
}
