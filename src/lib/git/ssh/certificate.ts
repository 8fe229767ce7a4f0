// Host certificates of OpenSSH (PROTOCOL.certkeys): a host key that an authority has signed.
import { isSignedBy, keyTypeOf } from './public-key.ts'
import { createWireReader, wireStrings } from './wire.ts'

const SUFFIX = '-cert-v01@openssh.com'
const HOST_CERTIFICATE = 2
const MAX_PRINCIPALS = 1_000

/** How many values describe the key, by type. */
const KEY_FIELDS: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
  'ssh-rsa': 2,
}

/** Certificates we can ask a server for. Those of RSA keys are not among them: the SSH library does not know how they are negotiated. */
export const CERTIFICATE_ALGORITHMS: readonly string[] = Object.keys(KEY_FIELDS)
  .filter((type) => type !== 'ssh-rsa')
  .map((type) => `${type}${SUFFIX}`)

export function isCertificate(key: Buffer): boolean {
  return keyTypeOf(key)?.endsWith(SUFFIX) ?? false
}

/** What a certificate says. */
interface Certificate {
  /** The key that is certified. */
  readonly key: Buffer
  readonly kind: number
  readonly principals: readonly string[]
  /** Seconds since 1970. */
  readonly validAfter: bigint
  readonly validBefore: bigint
  readonly hasCriticalOptions: boolean
  readonly authority: Buffer
  readonly signed: Buffer
  readonly signature: Buffer
}

/** Whom to believe. */
export interface CertificateRules {
  /** Name of the host, lower case, without port. */
  readonly host: string
  readonly authorities: readonly Buffer[]
  readonly revoked: readonly Buffer[]
  /** Milliseconds. */
  readonly now: number
}

/** The key inside a certificate that is good for the host now; a problem, as the end of a sentence, for any other. */
export function checkHostCertificate(
  bytes: Buffer,
  { host, authorities, revoked, now }: CertificateRules,
): { readonly key: Buffer } | { readonly problem: string; readonly isRevoked?: true } {
  const certificate = parseCertificate(bytes)
  if (!certificate) return { problem: 'it cannot be read' }
  const { key, authority, principals } = certificate
  const isOneOf = (keys: readonly Buffer[], wanted: Buffer): boolean => keys.some((one) => one.equals(wanted))
  if (isOneOf(revoked, key) || isOneOf(revoked, authority) || isOneOf(revoked, bytes)) return { problem: 'it is revoked', isRevoked: true }
  if (!isOneOf(authorities, authority)) return { problem: 'an authority has signed it that is not known for this host' }
  if (!isSignedBy(authority, certificate.signed, certificate.signature)) return { problem: 'its signature is wrong' }
  if (certificate.kind !== HOST_CERTIFICATE) return { problem: 'it is not for hosts' }
  if (certificate.hasCriticalOptions) return { problem: 'it has critical options that are not known' }
  if (principals.length > 0 && !principals.some((name) => name.toLowerCase() === host))
    return { problem: `it is for other hosts (${principals.slice(0, 3).join(', ').slice(0, 100)})` }
  const seconds = BigInt(Math.floor(now / 1_000))
  if (seconds < certificate.validAfter) return { problem: 'it is not valid yet' }
  if (seconds >= certificate.validBefore) return { problem: 'it has expired' }
  return { key }
}

function parseCertificate(bytes: Buffer): Certificate | undefined {
  try {
    return read(bytes)
  } catch {
    return undefined // too short somewhere
  }
}

function read(bytes: Buffer): Certificate | undefined {
  const reader = createWireReader(bytes)
  const type = reader.text().slice(0, -SUFFIX.length)
  const fields = KEY_FIELDS[type]
  if (fields === undefined) return undefined
  reader.bytes() // a nonce
  const values = Array.from({ length: fields }, () => reader.bytes())
  reader.uint64() // serial number
  const kind = reader.uint32()
  reader.bytes() // the name of the certificate
  const principals = strings(reader.bytes())
  const [validAfter, validBefore] = [reader.uint64(), reader.uint64()]
  const criticalOptions = reader.bytes()
  reader.bytes() // extensions: none concerns hosts
  reader.bytes() // reserved
  const authority = reader.bytes()
  const signed = bytes.subarray(0, reader.at)
  const signature = reader.bytes()
  if (!principals || !reader.isAtEnd() || isCertificate(authority)) return undefined
  const hasCriticalOptions = criticalOptions.length > 0
  return { key: wireStrings(type, ...values), kind, principals, validAfter, validBefore, hasCriticalOptions, authority, signed, signature }
}

function strings(bytes: Buffer): string[] | undefined {
  const reader = createWireReader(bytes)
  const found: string[] = []
  while (!reader.isAtEnd()) {
    if (found.length >= MAX_PRINCIPALS) return undefined
    found.push(reader.text())
  }
  return found
}
