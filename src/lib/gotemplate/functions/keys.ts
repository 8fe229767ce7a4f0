// Private keys.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { fail } from '../errors.ts'
import { defineWith, type FunctionTable } from './define.ts'
import { derElements, derInteger, derSequence } from './der.ts'
import { randomBytes } from './random.ts'

/** What keys count for that need large primes. */
const PRIME_STEPS = 100_000

/** Functions that make keys. */
export const KEYS: FunctionTable = {
  genPrivateKey: defineWith(['string'], (run, type) => {
    // asked for to fail where there is no randomness; the key itself comes from the runtime's own
    randomBytes(run, 'genPrivateKey', 1)
    if (type === '' || type === 'rsa' || type === 'dsa') run.meter.step(PRIME_STEPS)
    switch (type) {
      case '':
      case 'rsa':
        return keyPem(newRsaKey(4096))
      case 'dsa':
        return dsaPem(generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey)
      case 'ecdsa':
        return keyPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
      case 'ed25519':
        return keyPem(generateKeyPairSync('ed25519').privateKey)
      default:
        return `Unknown type ${type}`
    }
  }),
}

/** A new RSA key. Takes up to a second. */
export function newRsaKey(bits: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey
}

/** A key as Go writes it: RSA and EC keys in formats of their own. */
export function keyPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs8'
  return key.export({ format: 'pem', type }).toString()
}

/** Reads a key of any of these formats. */
export function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // what OpenSSL says about it may quote the key
    return fail('error parsing private key: it is not in a known PEM format')
  }
}

/** Version, p, q, g, y and x in a sequence. */
function dsaPem(key: KeyObject): string {
  const [, algorithm, wrapped] = derElements(derElements(key.export({ format: 'der', type: 'pkcs8' }))[0]?.content ?? Buffer.alloc(0))
  const parameters = derElements(derElements(algorithm?.content ?? Buffer.alloc(0))[1]?.content ?? Buffer.alloc(0))
  const secret = derElements(wrapped?.content ?? Buffer.alloc(0))[0]
  const [p = 1n, , g = 0n] = parameters.map(({ content }) => toBigInt(content))
  const x = toBigInt(secret?.content ?? Buffer.alloc(0))
  const y = power(g, x, p).toString(16)
  const encoded = derSequence(
    derInteger(Buffer.of(0)),
    ...parameters.map(({ raw }) => raw),
    derInteger(Buffer.from(y.length % 2 === 0 ? y : `0${y}`, 'hex')),
    secret?.raw ?? Buffer.alloc(0),
  )
  return pemBlock('DSA PRIVATE KEY', encoded)
}

/** DER in PEM, with a label. */
export function pemBlock(type: string, content: Uint8Array): string {
  const lines =
    Buffer.from(content)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${type}-----\n${lines.join('\n')}\n-----END ${type}-----\n`
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex') || '0'}`)
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}
