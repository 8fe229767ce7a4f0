import { gunzipSync } from 'node:zlib'

/** A packed chart larger than this when unpacked is refused by Helm's own limits in any case. */
const MAX_BYTES = 100 * 2 ** 20

/** The bytes of a gzip file; its own bytes if it is none. */
export function unpacked(data: Buffer): Buffer {
  try {
    return gunzipSync(data, { maxOutputLength: MAX_BYTES })
  } catch {
    return data // helm will say what is wrong with it
  }
}
