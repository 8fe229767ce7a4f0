import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GitError } from './errors.ts'
import { scanPack } from './pack-scan.ts'
import { DEFAULT_GIT_LIMITS, type GitLimits } from './types.ts'

const BLOB = 3
const OFS_DELTA = 6
const REF_DELTA = 7

interface PackObject {
  type: number
  data: Buffer
  /** What the header claims, if not the truth. */
  size?: number
}

function packOf(...objects: PackObject[]): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(objects.length, 8)
  const body = Buffer.concat([head, ...objects.map(encode)])
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

function encode({ type, data, size = data.length }: PackObject): Buffer {
  const bytes = [(type << 4) | (size & 15)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1]! |= 128
    bytes.push(rest % 128)
  }
  const base = type === OFS_DELTA ? Buffer.from([128, 5]) : type === REF_DELTA ? Buffer.alloc(20, 7) : Buffer.alloc(0)
  return Buffer.concat([Buffer.from(bytes), base, deflateSync(data)])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
}

const scan = (pack: Buffer, limits: Partial<GitLimits> = {}): void =>
  scanPack(pack, { ...DEFAULT_GIT_LIMITS, ...limits }, 'https://git.example/app')
const tooLarge = expect.objectContaining({ kind: 'too-large' })
const broken = expect.objectContaining({ kind: 'protocol' })

describe('scanning a pack', () => {
  test('takes objects of all sizes and kinds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ type: fc.constantFrom(1, 2, BLOB, 4), data: fc.uint8Array({ maxLength: 5_000 }).map((b) => Buffer.from(b)) })),
        (objects) => scan(packOf(...objects)),
      ),
    )
    scan(packOf({ type: BLOB, data: Buffer.alloc(3_000_000, 1) }))
    scan(
      packOf(
        { type: OFS_DELTA, data: Buffer.from([...varint(10), ...varint(500), 1]) },
        { type: REF_DELTA, data: Buffer.from([...varint(10), 9, 1]) },
      ),
    )
  })

  test('refuses an object that claims or has too many bytes', () => {
    expect(() => scan(packOf({ type: BLOB, data: Buffer.alloc(1_001) }), { fileBytes: 1_000 })).toThrow(tooLarge)
    expect(() => scan(packOf({ type: BLOB, data: Buffer.alloc(1_001), size: 999 }), { fileBytes: 1_000 })).toThrow(broken)
    expect(() => scan(packOf({ type: BLOB, data: Buffer.alloc(10), size: 2 ** 40 }))).toThrow(tooLarge)
    expect(() => scan(packOf({ type: BLOB, data: Buffer.alloc(10), size: 11 }))).toThrow(broken)
  })

  test('refuses a delta that makes too much', () => {
    for (const type of [OFS_DELTA, REF_DELTA])
      expect(() => scan(packOf({ type, data: Buffer.from([...varint(10), ...varint(1_001), 0]) }), { fileBytes: 1_000 })).toThrow(tooLarge)
  })

  test('refuses too many objects', () => {
    const objects = Array.from({ length: 41 }, () => ({ type: BLOB, data: Buffer.alloc(0) }))
    expect(() => scan(packOf(...objects), { files: 2 })).toThrow(tooLarge)
  })

  test('never fails in another way, whatever the bytes', () => {
    const pack = packOf({ type: BLOB, data: Buffer.from('hello') }, { type: OFS_DELTA, data: Buffer.from([5, 5, 1]) })
    const damaged = fc.tuple(fc.nat(pack.length - 1), fc.nat(255), fc.nat(pack.length)).map(([at, value, end]) => {
      const copy = Buffer.from(pack)
      copy[at] = value
      return copy.subarray(0, end)
    })
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([pack.subarray(0, 12), bytes]))
    fc.assert(
      fc.property(fc.oneof(damaged, noise), (bytes) => {
        try {
          scan(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(GitError)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
