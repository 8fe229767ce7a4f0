import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import ssh2 from 'ssh2'
import { describe, expect, test } from 'vitest'
import { readPrivateKey } from './private-key.ts'

const read = (text: string) => readPrivateKey(text, 'ssh://host/repo')
const keys: Record<string, KeyObject> = {
  'ssh-rsa': generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'ssh-ed25519': generateKeyPairSync('ed25519').privateKey,
  'ecdsa-sha2-nistp256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'ecdsa-sha2-nistp384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
}

describe('private keys', () => {
  test.each(Object.keys(keys))('%s as PKCS#8', (type) => {
    const key = keys[type]
    const parsed = read(String(key?.export({ type: 'pkcs8', format: 'pem' })))
    expect(parsed.type).toBe(type)
    const data = Buffer.from('to be signed')
    const hash = type === 'ssh-rsa' ? 'sha256' : undefined
    expect(parsed.verify(data, parsed.sign(data, hash) as Buffer, hash)).toBe(true)
  })

  test('RSA and EC in their older formats, Ed25519 as OpenSSH writes it', () => {
    expect(read(String(keys['ssh-rsa']?.export({ type: 'pkcs1', format: 'pem' }))).type).toBe('ssh-rsa')
    expect(read(String(keys['ecdsa-sha2-nistp256']?.export({ type: 'sec1', format: 'pem' }))).type).toBe('ecdsa-sha2-nistp256')
    expect(read(ssh2.utils.generateKeyPairSync('ed25519').private).type).toBe('ssh-ed25519')
  })

  test('with other line ends, and blanks around them', () => {
    const pem = ssh2.utils.generateKeyPairSync('ed25519').private
    expect(read(`\n  ${pem.trim().replaceAll('\n', '\r\n')}`).type).toBe('ssh-ed25519')
  })

  const secret = keys['ssh-rsa']
  const locked = ssh2.utils.generateKeyPairSync('ed25519', { passphrase: 'x', cipher: 'aes256-cbc', rounds: 1 })
  test.each<[string, string, RegExp]>([
    ['nothing', ' \n', /is empty/],
    ['a public key', locked.public, /is a public key/],
    ['a locked OpenSSH key', locked.private, /encrypted with a passphrase.*ssh-keygen -p/],
    [
      'a locked PKCS#8 key',
      String(secret?.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })),
      /encrypted with a passphrase/,
    ],
    [
      'a locked PEM key',
      String(secret?.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })),
      /encrypted with a passphrase/,
    ],
    ['half a key', locked.private.slice(0, 120), /cannot be read/],
    ['an empty shell', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----', /cannot be read/],
    ['some text', 'CANARY', /cannot be read/],
    ['a key of another kind', String(generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' })), /cannot be read/],
  ])('%s is refused', (_what, text, message) => {
    const thrown = (() => {
      try {
        return read(text)
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toMatchObject({ name: 'GitError', kind: 'authentication', message: expect.stringMatching(message) })
    expect(String((thrown as Error).message)).not.toContain('CANARY')
    expect((thrown as Error).cause).toBeUndefined()
  })
})
