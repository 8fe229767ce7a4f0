// Private keys as users have them, made into what the SSH library reads.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import ssh2 from 'ssh2'
import { GitError } from '../errors.ts'
import { createWireReader, wireStrings, wireUint32 } from './wire.ts'

const MAX_KEY_LENGTH = 64 * 1_024
const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/
const OPENSSH_MAGIC = 'openssh-key-v1\0'
const USABLE_TYPES = new Set(['ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'])

/** The key in a form that the SSH library reads. Throws GitError `authentication` for what is no key, or is locked; the message has nothing of it. */
export function readPrivateKey(text: string, repo: string): ssh2.ParsedKey {
  const fail = (what: string): GitError => new GitError('authentication', `the SSH private key for ${repo} ${what}`)
  const clean = text.slice(0, MAX_KEY_LENGTH).replaceAll('\r', '').trim()
  if (clean === '') throw fail('is empty; give one in OpenSSH or PEM format')
  if (/^(?:ssh-|ecdsa-|---- BEGIN SSH2 PUBLIC|-----BEGIN (?:RSA )?PUBLIC)/.test(clean))
    throw fail('is a public key; give the private one that belongs to it')
  if (isEncrypted(clean))
    throw fail('is encrypted with a passphrase, which nobody can enter here; remove it with ssh-keygen -p, or give another key')
  const parsed = parse(clean)
  if (!parsed?.isPrivateKey()) throw fail('cannot be read; give one in OpenSSH or PEM format, with its first and last line')
  if (!USABLE_TYPES.has(parsed.type)) throw fail(`is of type ${parsed.type}, which is not supported; use ed25519, ECDSA or RSA`)
  return parsed
}

function parse(text: string): ssh2.ParsedKey | undefined {
  try {
    const readable = text.includes('-----BEGIN PRIVATE KEY-----') ? fromPkcs8(createPrivateKey(text)) : `${text}\n`
    const parsed = ssh2.utils.parseKey(readable)
    const first = Array.isArray(parsed) ? parsed[0] : parsed
    return first instanceof Error ? undefined : first
  } catch {
    return undefined // neither format
  }
}

function isEncrypted(text: string): boolean {
  if (/ENCRYPTED|^Encryption: (?!none)/m.test(text)) return true
  const [, base64] = OPENSSH.exec(text) ?? []
  if (base64 === undefined) return false
  try {
    const body = Buffer.from(base64, 'base64').subarray(OPENSSH_MAGIC.length)
    return createWireReader(body).text() !== 'none'
  } catch {
    return false // too short for a key: said when it is parsed
  }
}

/** The library knows the older formats of RSA and EC keys, and for Ed25519 only that of OpenSSH. */
function fromPkcs8(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' }) as string
  if (key.asymmetricKeyType === 'ec') return key.export({ type: 'sec1', format: 'pem' }) as string
  if (key.asymmetricKeyType !== 'ed25519') throw new RangeError('no key for ssh')
  const { x = '', d = '' } = key.export({ format: 'jwk' })
  const [open, secret] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')]
  const twice = Buffer.concat([wireUint32(0), wireUint32(0)]) // a check of the passphrase, of which there is none
  const inner = Buffer.concat([twice, wireStrings('ssh-ed25519', open, Buffer.concat([secret, open]), '')])
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, index) => index + 1))
  const body = Buffer.concat([
    Buffer.from(OPENSSH_MAGIC),
    wireStrings('none', 'none', ''),
    wireUint32(1),
    wireStrings(wireStrings('ssh-ed25519', open), Buffer.concat([inner, padding])),
  ])
  const lines = body.toString('base64').match(/.{1,70}/g) ?? []
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`
}
