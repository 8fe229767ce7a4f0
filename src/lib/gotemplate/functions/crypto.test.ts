import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { compileTemplate } from '../template.ts'
import { bcryptHash, initialBlowfish } from './bcrypt.ts'

const NOW = Date.UTC(2024, 0, 1)

function render(text: string, data: unknown = {}): string {
  return compileTemplate(text, { delimiters: ['${', '}'], random: randomBytes, now: () => NOW }).render(data)
}

describe('bcrypt', () => {
  const blowfish = initialBlowfish()

  test('starts from the digits of π', () => {
    expect([blowfish.p[0], blowfish.p[17], blowfish.s[0], blowfish.s[1023]]).toEqual([0x243f6a88, 0x8979fb1b, 0xd1310ba6, 0x3ac372e6])
  })

  // published test vectors
  test.each([
    ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['U*U*', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
    ['', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
  ])('hashes %j', (password, expected) => {
    const salt = Buffer.from('10410410410410410410410410410410', 'hex')
    expect(bcryptHash(Buffer.from(password), salt, 5, blowfish)).toBe(expected)
  })

  test('refuses long passwords in its text', () => {
    expect(render('${ bcrypt (repeat 73 "x") }')).toBe('failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes')
    expect(render('${ htpasswd "user" "x" }')).toMatch(/^user:\$2a\$10\$[./\w]{53}$/)
  })
})

test('what is encrypted can be decrypted', () => {
  expect(render('${ encryptAES "secret" .text | decryptAES "secret" }', { text: 'grüße ☃' })).toBe('grüße ☃')
  expect(render('${ encryptAES "s" "a" | b64dec | len }')).toBe('32')
})

describe('keys', () => {
  test.each([
    ['ecdsa', 'EC PRIVATE KEY', 'ec'],
    ['ed25519', 'PRIVATE KEY', 'ed25519'],
  ])('%s', (type, label, kind) => {
    const pem = render('${ genPrivateKey .type }', { type })
    expect(pem).toMatch(new RegExp(`^-----BEGIN ${label}-----\n`))
    expect(createPrivateKey(pem).asymmetricKeyType).toBe(kind)
  })

  test('of unknown types are told so', () => {
    expect(render('${ genPrivateKey "x" }')).toBe('Unknown type x')
  })
})

describe('certificates', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' })
  const other = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })

  test('of an authority sign others', () => {
    const text = `\${ $ca := genCAWithKey "authority" 365 .key }\${ $leaf := genSignedCertWithKey "leaf" (list "10.0.0.1" "fd00::1") (list "a.example.org") 10 $ca .other }\${ list $ca $leaf | toJson }`
    const [ca, leaf] = (JSON.parse(render(text, { key, other })) as { Cert: string; Key: string }[]).map(
      (pair) => new X509Certificate(pair.Cert),
    )
    if (!ca || !leaf) throw new Error('two certificates were asked for')
    expect([ca.subject, ca.ca, ca.verify(ca.publicKey)]).toEqual(['CN=authority', true, true])
    expect([leaf.subject, leaf.issuer, leaf.ca, leaf.verify(ca.publicKey), leaf.checkIssued(ca)]).toEqual([
      'CN=leaf',
      'CN=authority',
      false,
      true,
      true,
    ])
    expect(leaf.subjectAltName).toBe('DNS:a.example.org, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1')
    expect([leaf.validFromDate.getTime(), leaf.validToDate.getTime()]).toEqual([NOW, NOW + 10 * 86_400_000])
    expect(leaf.checkPrivateKey(createPrivateKey(other))).toBe(true)
  })

  test('of their own need no authority', () => {
    const pem = render('${ (genSelfSignedCertWithKey "self" nil nil 1 .key).Cert }', { key })
    const certificate = new X509Certificate(pem)
    expect([certificate.ca, certificate.verify(certificate.publicKey), certificate.subjectAltName]).toEqual([false, true, undefined])
  })

  test('that exist are taken in without a clock or randomness', () => {
    const text = '${ $c := genCAWithKey "a" 1 .key }${ $b := buildCustomCert (b64enc $c.Cert) (b64enc $c.Key) }${ eq $b.Cert $c.Cert }'
    expect(render(text, { key })).toBe('true')
    expect(() => compileTemplate('{{ buildCustomCert "YQ==" "YQ==" }}').render({})).toThrow('error parsing certificate')
  })
})
