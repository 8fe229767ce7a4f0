// Public keys as SSH writes them: their type, their fingerprint, and what they signed.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { createWireReader, magnitude } from './wire.ts'

interface Curve {
  readonly crv: string
  readonly hash: string
  /** Bytes of a coordinate. */
  readonly size: number
}

const CURVES: Readonly<Record<string, Curve>> = {
  'ecdsa-sha2-nistp256': { crv: 'P-256', hash: 'sha256', size: 32 },
  'ecdsa-sha2-nistp384': { crv: 'P-384', hash: 'sha384', size: 48 },
  'ecdsa-sha2-nistp521': { crv: 'P-521', hash: 'sha512', size: 66 },
}
const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }

/** The type a key names itself; undefined for bytes that are no key. */
export function keyTypeOf(key: Buffer): string | undefined {
  try {
    const reader = createWireReader(key)
    const type = reader.text()
    return /^[\x21-\x7e]{1,100}$/.test(type) && !reader.isAtEnd() ? type : undefined
  } catch {
    return undefined // too short
  }
}

/** As ssh-keygen shows it: `SHA256:` and base64 without padding. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** Whether `key` made this signature; false, too, for what cannot be read and for signatures with SHA-1. */
export function isSignedBy(key: Buffer, data: Buffer, signature: Buffer): boolean {
  try {
    return verifies(key, data, signature)
  } catch {
    return false // malformed
  }
}

function verifies(key: Buffer, data: Buffer, signature: Buffer): boolean {
  const reader = createWireReader(signature)
  const algorithm = reader.text()
  const value = reader.bytes()
  const type = keyTypeOf(key) ?? ''
  if (type === 'ssh-rsa') {
    const hash = RSA_HASHES[algorithm]
    return hash !== undefined && verify(hash, data, toKeyObject(key), value)
  }
  if (algorithm !== type) return false
  if (type === 'ssh-ed25519') return verify(null, data, toKeyObject(key), value)
  const curve = CURVES[type]
  return curve !== undefined && verify(curve.hash, data, { key: toKeyObject(key), dsaEncoding: 'ieee-p1363' }, rawEcdsa(value, curve.size))
}

/** SSH gives r and s as numbers of any length. */
function rawEcdsa(value: Buffer, size: number): Buffer {
  const reader = createWireReader(value)
  return Buffer.concat([reader.bytes(), reader.bytes()].map((number) => padded(magnitude(number), size)))
}

function padded(number: Buffer, size: number): Buffer {
  if (number.length > size) throw new RangeError('a number is too long')
  return Buffer.concat([Buffer.alloc(size - number.length), number])
}

function toKeyObject(key: Buffer): KeyObject {
  const reader = createWireReader(key)
  const type = reader.text()
  if (type === 'ssh-ed25519') return fromJwk({ kty: 'OKP', crv: 'Ed25519', x: url64(reader.bytes()) })
  if (type === 'ssh-rsa') {
    const exponent = reader.bytes()
    return fromJwk({ kty: 'RSA', e: url64(magnitude(exponent)), n: url64(magnitude(reader.bytes())) })
  }
  const curve = CURVES[type]
  if (!curve) throw new RangeError(`keys of type ${type} are not supported`)
  reader.bytes() // the name of the curve, which the type names too
  const point = reader.bytes()
  if (point.length !== 1 + 2 * curve.size || point[0] !== 4) throw new RangeError('the point is not uncompressed')
  return fromJwk({ kty: 'EC', crv: curve.crv, x: url64(point.subarray(1, 1 + curve.size)), y: url64(point.subarray(1 + curve.size)) })
}

function fromJwk(key: Record<string, string>): KeyObject {
  return createPublicKey({ key, format: 'jwk' })
}

function url64(bytes: Buffer): string {
  return bytes.toString('base64url')
}
