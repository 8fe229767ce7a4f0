// DER, the encoding of certificates and keys: tag, length, content.

/** One element. */
export interface DerElement {
  readonly tag: number
  readonly content: Buffer
  /** with tag and length */
  readonly raw: Buffer
}

/** Tags of the elements that certificates need. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const

/** An element of some content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body])
  const hex = body.length.toString(16)
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body])
}

/** A sequence of elements. */
export function derSequence(...parts: readonly Uint8Array[]): Buffer {
  return der(TAG.sequence, ...parts)
}

/** A number that is not negative, from its bytes. */
export function derInteger(bytes: Uint8Array): Buffer {
  const hex = Buffer.from(bytes)
    .toString('hex')
    .replace(/^(?:00)+/, '')
  const shortest = Buffer.from(hex === '' ? '00' : hex, 'hex')
  return der(TAG.integer, (shortest[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), shortest]) : shortest)
}

/** An object identifier such as `2.5.4.3`. */
export function derOid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return der(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift(0x80 | (rest & 0x7f))
  return digits
}

/** A string of bits, of which the last byte may hold some that do not count. */
export function derBitString(content: Uint8Array, unusedBits = 0): Buffer {
  return der(TAG.bitString, Buffer.of(unusedBits), content)
}

/** The elements of a sequence. What is malformed ends the list. */
export function derElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const first = bytes[at + 1] ?? 0
    const extra = first < 0x80 ? 0 : first & 0x7f
    if (extra > 4 || at + 2 + extra > bytes.length) break
    const length = extra === 0 ? first & 0x7f : bytes.readUIntBE(at + 2, extra)
    const start = at + 2 + extra
    if (start + length > bytes.length) break
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(start, start + length), raw: bytes.subarray(at, start + length) })
    at = start + length
  }
  return elements
}
