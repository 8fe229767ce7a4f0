// Certificates with their keys. Making new ones needs randomness and the time, and so works only where the renderer lends both.
import { type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { fail } from '../errors.ts'
import { fromBytes } from '../values/bytes.ts'
import { type GoFunction, type GoList, GoMap, GoObject, type Run, typeName, type Value } from '../values/value.ts'
import { define, defineWith, type FunctionTable } from './define.ts'
import { decodeBase64 } from './encoding.ts'
import { keyPem, newRsaKey, parseKey, pemBlock } from './keys.ts'
import { randomBytes } from './random.ts'
import { createCertificate, type Issuer, issuerOf } from './x509.ts'

const SLOW_STEPS = 50_000
const DAY = 86_400_000
const RSA_BITS = 2048

/** Functions that make certificates, or take them in. */
export const CERTIFICATES: FunctionTable = {
  genCA: defineWith(['string', 'int'], (run, name, days) => issue(run, 'genCA', { name, days, isAuthority: true })),
  genCAWithKey: defineWith(['string', 'int', 'string'], (run, name, days, key) =>
    issue(run, 'genCAWithKey', { name, days, key, isAuthority: true }),
  ),
  genSelfSignedCert: defineWith(['string', 'list', 'list', 'int'], (run, name, addresses, names, days) =>
    issue(run, 'genSelfSignedCert', { name, days, addresses, names }),
  ),
  genSelfSignedCertWithKey: defineWith(['string', 'list', 'list', 'int', 'string'], (run, name, addresses, names, days, key) =>
    issue(run, 'genSelfSignedCertWithKey', { name, days, addresses, names, key }),
  ),
  genSignedCert: defineWith(['string', 'list', 'list', 'int', 'certificate'], (run, name, addresses, names, days, authority) =>
    issue(run, 'genSignedCert', { name, days, addresses, names, authority }),
  ),
  genSignedCertWithKey: defineWith(
    ['string', 'list', 'list', 'int', 'certificate', 'string'],
    (run, name, addresses, names, days, authority, key) =>
      issue(run, 'genSignedCertWithKey', { name, days, addresses, names, authority, key }),
  ),
  buildCustomCert: define(['string', 'string'], (certificate, key) => {
    const [cert, pem] = [decoded(certificate, 'certificate'), decoded(key, 'private key')]
    parseCertificate(cert)
    parseKey(pem)
    return new CertificateValue(cert, pem)
  }),
}

/** sprig's certificate: two texts in PEM. */
class CertificateValue extends GoObject {
  readonly type = 'sprig.certificate'
  readonly kind = 'struct'
  readonly certificate: string
  readonly key: string

  constructor(certificate: string, key: string) {
    super()
    this.certificate = certificate
    this.key = key
  }

  text(): undefined {
    return undefined
  }

  fields(): readonly (readonly [string, Value])[] {
    return [
      ['Cert', this.certificate],
      ['Key', this.key],
    ]
  }

  method(): GoFunction | undefined {
    return undefined
  }

  json(): Value {
    return new GoMap(new Map(this.fields()))
  }

  equals(other: GoObject): boolean {
    return other instanceof CertificateValue && other.certificate === this.certificate && other.key === this.key
  }
}

interface Request {
  readonly name: string
  readonly days: bigint
  readonly addresses?: GoList
  readonly names?: GoList
  readonly key?: string
  readonly isAuthority?: boolean
  readonly authority?: GoObject
}

function issue(run: Run, called: string, request: Request): CertificateValue {
  const { now } = run
  if (!now) fail(`${called} is not available: it would give another result on every run`)
  const serial = randomBytes(run, called, 16)
  run.meter.step(SLOW_STEPS)
  const key = request.key === undefined ? newRsaKey(RSA_BITS) : parseKey(request.key)
  const notBefore = now()
  const certificate = createCertificate(
    {
      commonName: request.name,
      addresses: texts(request.addresses, 'error parsing ip').map(checkedAddress),
      names: texts(request.names, 'error processing alternate dns name'),
      notBefore,
      notAfter: notBefore + Number(request.days) * DAY,
      isAuthority: request.isAuthority ?? false,
      serial,
      key,
    },
    request.authority && issuerFrom(request.authority),
  )
  return new CertificateValue(pemBlock('CERTIFICATE', certificate), keyPem(key))
}

function texts(list: GoList | undefined, problem: string): readonly string[] {
  return (list?.items ?? []).map((item) => (typeof item === 'string' ? item : fail(`${problem}: ${typeName(item)} is not a string`)))
}

function checkedAddress(address: string): string {
  return isIP(address) > 0 && !address.includes('%') ? address : fail(`error parsing ip: ${address}`)
}

function issuerFrom(authority: GoObject): Issuer {
  if (!(authority instanceof CertificateValue)) fail('the authority is no certificate')
  const key: KeyObject = parseKey(authority.key)
  return issuerOf(parseCertificate(authority.certificate).raw, key)
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    // what OpenSSL says about it is of no help
    return fail('error parsing certificate: it is not in PEM format')
  }
}

function decoded(text: string, what: string): string {
  const bytes = decodeBase64(text)
  return typeof bytes === 'number' ? fail(`unable to decode base64 ${what}`) : fromBytes(bytes)
}
