// A certificate for servers of tests on loopback, made without any program or library: X.509 is a few nested values.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A certificate that is its own CA, and its key; PEM. */
export interface SelfSigned {
  readonly cert: string
  readonly key: string
}

const SEQUENCE = 0x30
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex')
const COMMON_NAME = Buffer.from('0603550403', 'hex')
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex')
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex')
const TRUE = Buffer.from('0101ff', 'hex')
const DAY_MS = 86_400_000

/** Valid for 127.0.0.1 and localhost from yesterday for 30 days. */
export function createSelfSigned(commonName = 'fleet test'): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256)
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from(commonName)))))
  const tbs = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(SEQUENCE, time(Date.now() - DAY_MS), time(Date.now() + 30 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions())),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', tbs, privateKey))
  const cert = pem('CERTIFICATE', der(SEQUENCE, tbs, algorithm, signature))
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function extensions(): Buffer[] {
  const names = der(SEQUENCE, der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost')))
  const isCa = der(SEQUENCE, TRUE)
  return [der(SEQUENCE, SUBJECT_ALT_NAME, der(0x04, names)), der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(0x04, isCa))]
}

/** Tag, length, value. */
function der(tag: number, ...values: Buffer[]): Buffer {
  const value = Buffer.concat(values)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(value)]), value])
}

/** As short as it can be: some readers refuse anything longer. */
function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[^0-9]/g, '')
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

function pem(label: string, value: Buffer): string {
  const lines = value.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
