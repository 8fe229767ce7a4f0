// Digests: what proves that bytes are those that were asked for.
import { createHash } from 'node:crypto'
import { OciError } from './errors.ts'

/** `sha256:` and the digits. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** What an answer has to be. */
export interface Expected {
  readonly digest?: string | undefined
  /** bytes */
  readonly size?: number | undefined
}

/** Collects an answer, checking as it comes. Throws OciError `too-large` or `corrupt`; `where` names what was asked for. */
export async function collect(
  body: AsyncIterable<Uint8Array>,
  { digest, size }: Expected,
  maxBytes: number,
  where: string,
): Promise<Buffer> {
  if (size !== undefined && size > maxBytes) throw tooLarge(where, maxBytes)
  const algorithm = digest?.split(':', 1)[0]
  const hash = algorithm === undefined ? undefined : createHash(algorithm)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (size !== undefined && length > size) throw corrupt(where, `has more than the ${size} bytes that it should have`)
    if (length > maxBytes) throw tooLarge(where, maxBytes)
    hash?.update(chunk)
    chunks.push(chunk)
  }
  if (size !== undefined && length !== size) throw corrupt(where, `has ${length} of ${size} bytes`)
  if (hash && `${algorithm}:${hash.digest('hex')}` !== digest) throw corrupt(where, 'does not have the digest that it should have')
  return Buffer.concat(chunks)
}

function tooLarge(where: string, maxBytes: number): OciError {
  return new OciError('too-large', `${where} has more than ${maxBytes} bytes, which is more than can be read`)
}

function corrupt(where: string, what: string): OciError {
  return new OciError('corrupt', `${where} ${what}: the registry has something else there, or an intermediary changed it`)
}
