// Builds certificates: what sprig's genCA and its like need, with the fields that Go's crypto/x509 sets.
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { fail } from '../errors.ts'
import { der, derBitString, derElements, derInteger, derOid, derSequence, TAG } from './der.ts'

/** What a certificate says. */
export interface CertificateRequest {
  readonly commonName: string
  readonly addresses: readonly string[]
  readonly names: readonly string[]
  /** milliseconds since 1970 */
  readonly notBefore: number
  readonly notAfter: number
  readonly isAuthority: boolean
  readonly serial: Uint8Array
  readonly key: KeyObject
}

/** Who signs: another certificate's key and, in DER, its subject and key id. */
export interface Issuer {
  readonly key: KeyObject
  readonly subject: Buffer
  readonly keyId: Buffer | undefined
}

const OID = {
  commonName: '2.5.4.3',
  rsa: '1.2.840.113549.1.1.11',
  ec: '1.2.840.10045.4.3.2',
  ed25519: '1.3.101.112',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}
const TRUE = der(TAG.boolean, Buffer.of(0xff))

/** A certificate in DER; without an issuer it is signed by its own key. */
export function createCertificate(request: CertificateRequest, issuer?: Issuer): Buffer {
  const subject = nameOf(request.commonName)
  const publicKey = createPublicKey(request.key).export({ format: 'der', type: 'spki' })
  const keyId = request.isAuthority ? keyIdOf(publicKey) : undefined
  const signer = issuer ?? { key: request.key, subject, keyId }
  const algorithm = algorithmOf(signer.key)
  const body = derSequence(
    der(0xa0, derInteger(Buffer.of(2))),
    derInteger(request.serial),
    algorithm,
    signer.subject,
    derSequence(timeOf(request.notBefore), timeOf(request.notAfter)),
    subject,
    publicKey,
    der(0xa3, derSequence(...extensions(request, keyId, issuer?.keyId))),
  )
  const signature = sign(signer.key.asymmetricKeyType === 'ed25519' ? null : 'sha256', body, signer.key)
  return derSequence(body, algorithm, derBitString(signature))
}

/** The issuer that a certificate and its key make. */
export function issuerOf(certificate: Buffer, key: KeyObject): Issuer {
  const body = derElements(derElements(derElements(certificate)[0]?.content ?? certificate)[0]?.content ?? certificate)
  const subject = body[5]?.raw ?? fail('error parsing certificate')
  const lists = body.filter(({ tag }) => tag === 0xa3).flatMap(({ content }) => derElements(derElements(content)[0]?.content ?? content))
  const wanted = derOid(OID.subjectKeyId)
  const extension = lists.map(({ content }) => derElements(content)).find(([id]) => id?.raw.equals(wanted))
  return { key, subject, keyId: derElements(extension?.at(-1)?.content ?? Buffer.alloc(0))[0]?.content }
}

function nameOf(commonName: string): Buffer {
  const value = der(/^[\w '()+,./:=?-]*$/.test(commonName) ? 0x13 : TAG.utf8, Buffer.from(commonName))
  return commonName === '' ? derSequence() : derSequence(der(TAG.set, derSequence(derOid(OID.commonName), value)))
}

function algorithmOf(key: KeyObject): Buffer {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return derSequence(derOid(OID.rsa), Buffer.of(0x05, 0x00))
    case 'ec':
      return derSequence(derOid(OID.ec))
    case 'ed25519':
      return derSequence(derOid(OID.ed25519))
    default:
      return fail('error creating certificate: only RSA, ECDSA and Ed25519 keys are supported')
  }
}

/** UTCTime up to 2049, GeneralizedTime after. */
function timeOf(milliseconds: number): Buffer {
  if (!Number.isFinite(new Date(milliseconds).getTime())) fail('error creating certificate: its end is out of range')
  const text = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
  const year = new Date(milliseconds).getUTCFullYear()
  return year >= 1950 && year < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

function keyIdOf(publicKey: Buffer): Buffer {
  const bits = derElements(derElements(publicKey)[0]?.content ?? publicKey)[1]?.content ?? publicKey
  return createHash('sha256').update(bits.subarray(1)).digest().subarray(0, 20)
}

function extensions(request: CertificateRequest, keyId: Buffer | undefined, issuerKeyId: Buffer | undefined): Buffer[] {
  const { isAuthority, names, addresses } = request
  const all = [
    // digital signature, key encipherment and, for authorities, signing certificates
    extension(OID.keyUsage, derBitString(Buffer.of(isAuthority ? 0xa4 : 0xa0), isAuthority ? 2 : 5), true),
    extension(OID.extendedKeyUsage, derSequence(derOid(OID.serverAuth), derOid(OID.clientAuth)), false),
    extension(OID.basicConstraints, isAuthority ? derSequence(TRUE) : derSequence(), true),
  ]
  if (keyId) all.push(extension(OID.subjectKeyId, der(TAG.octetString, keyId), false))
  if (issuerKeyId) all.push(extension(OID.authorityKeyId, derSequence(der(0x80, issuerKeyId)), false))
  if (names.length + addresses.length > 0) {
    const alternatives = [
      ...names.map((name) => der(0x82, Buffer.from(name))),
      ...addresses.map((address) => der(0x87, addressBytes(address))),
    ]
    all.push(extension(OID.alternativeNames, derSequence(...alternatives), false))
  }
  return all
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return derSequence(derOid(id), ...(critical ? [TRUE] : []), der(TAG.octetString, value))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  if (isIP(address) !== 6) fail(`error parsing ip: ${address}`)
  // the URL parser brings an address into its normal form
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [head = [], tail = []] = groups.map((part) => part.split(':').filter((group) => group !== ''))
  const middle = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return Buffer.from([...head, ...middle, ...tail].map((group) => group.padStart(4, '0')).join(''), 'hex')
}
