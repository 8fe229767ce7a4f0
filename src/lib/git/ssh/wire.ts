// The encoding of SSH messages (RFC 4251, section 5).

/** Reads values one after the other; every read throws a RangeError where the bytes end too early. */
export interface WireReader {
  /** Where the next value starts. */
  readonly at: number
  uint32(): number
  uint64(): bigint
  /** A string: bytes with their length in front. */
  bytes(): Buffer
  text(): string
  isAtEnd(): boolean
}

export function createWireReader(data: Buffer): WireReader {
  let at = 0
  const take = (length: number): Buffer => {
    if (length > data.length - at) throw new RangeError('the bytes end too early')
    at += length
    return data.subarray(at - length, at)
  }
  const uint32 = (): number => take(4).readUInt32BE(0)
  const bytes = (): Buffer => take(uint32())
  return {
    get at() {
      return at
    },
    uint32,
    uint64: () => take(8).readBigUInt64BE(0),
    bytes,
    text: () => bytes().toString('utf8'),
    isAtEnd: () => at === data.length,
  }
}

/** Strings with their lengths in front. */
export function wireStrings(...values: (string | Buffer)[]): Buffer {
  return Buffer.concat(values.flatMap((value) => [wireUint32(Buffer.byteLength(value)), Buffer.from(value as string)]))
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** An unsigned big-endian number without zeros in front; a certificate or a signature may have one. */
export function magnitude(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  return start < 0 ? bytes.subarray(0, 0) : bytes.subarray(start)
}
