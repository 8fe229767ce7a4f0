// Passwords and encryption.
import { createCipheriv, createDecipheriv, createHmac, scryptSync } from 'node:crypto'
import { fail } from '../errors.ts'
import { fromBytes, toBytes } from '../values/bytes.ts'
import type { Run } from '../values/value.ts'
import { bcryptHash, initialBlowfish } from './bcrypt.ts'
import { defineWith, type FunctionTable } from './define.ts'
import { decodeBase64 } from './encoding.ts'
import { randomBytes } from './random.ts'

/** What slow functions count for. */
const DERIVE_STEPS = 100_000
const BCRYPT_STEPS = 50_000
const BLOCK = 16
const COST = 10
const MAX_PASSWORD = 72
const SEED = 'com.lyndir.masterpassword'
const SCRYPT = { N: 32_768, r: 8, p: 2, maxmem: 128 * 2 ** 20 }

// the forms of the Master Password algorithm: each letter stands for a set of characters
const FORMS: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: (
    'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
    'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
    'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno'
  ).split(' '),
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
}
const VOWELS = 'AEIOU'
const CONSONANTS = 'BCDFGHJKLMNPQRSTVWXYZ'
const BOTH_CASES = VOWELS + VOWELS.toLowerCase() + CONSONANTS + CONSONANTS.toLowerCase()
const CHARACTERS: Readonly<Record<string, string>> = {
  V: VOWELS,
  C: CONSONANTS,
  v: VOWELS.toLowerCase(),
  c: CONSONANTS.toLowerCase(),
  a: BOTH_CASES,
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: `${BOTH_CASES}0123456789!@#$%^&*()`,
}

/** Functions of passwords and encryption. */
export const PASSWORDS: FunctionTable = {
  derivePassword: defineWith(['uint32', 'string', 'string', 'string', 'string'], (run, counter, form, password, user, site) => {
    const forms = Object.hasOwn(FORMS, form) ? FORMS[form] : undefined
    if (!forms) return `cannot find password template ${form}`
    run.meter.step(DERIVE_STEPS)
    const key = scryptSync(toBytes(password), Buffer.concat([Buffer.from(SEED), withLength(user)]), 64, SCRYPT)
    const seed = createHmac('sha256', key)
      .update(Buffer.concat([Buffer.from(SEED), withLength(site), number(Number(counter.value))]))
      .digest()
    return derived(forms[(seed[0] ?? 0) % forms.length] ?? '', seed)
  }),
  encryptAES: defineWith(['string', 'string'], (run, password, text) => {
    if (text === '') return ''
    const iv = randomBytes(run, 'encryptAES', BLOCK)
    const cipher = createCipheriv('aes-256-cbc', aesKey(password), iv)
    return Buffer.concat([iv, cipher.update(toBytes(text)), cipher.final()]).toString('base64')
  }),
  decryptAES: defineWith(['string', 'string'], (_run, password, text) => (text === '' ? '' : decrypted(password, text))),
  bcrypt: defineWith(['string'], (run, password) => hashed(run, 'bcrypt', password)),
  htpasswd: defineWith(['string', 'string'], (run, user, password) => {
    return user.includes(':') ? `invalid username: ${user}` : `${user}:${hashed(run, 'htpasswd', password)}`
  }),
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function withLength(text: string): Buffer {
  const bytes = toBytes(text)
  return Buffer.concat([number(bytes.length), bytes])
}

function derived(form: string, seed: Buffer): string {
  const characters = [...form].map((letter, index) => {
    const choice = CHARACTERS[letter] ?? ''
    return choice.charAt((seed[index + 1] ?? 0) % choice.length)
  })
  return characters.join('')
}

/** The first 32 bytes of a password, filled up with zeros. */
function aesKey(password: string): Buffer {
  const key = Buffer.alloc(32)
  toBytes(password).copy(key)
  return key
}

function decrypted(password: string, text: string): string {
  const bytes = decodeBase64(text)
  if (typeof bytes === 'number') fail(`illegal base64 data at input byte ${bytes}`)
  if (bytes.length <= BLOCK || bytes.length % BLOCK !== 0) fail('crypto/cipher: input not full blocks')
  const cipher = createDecipheriv('aes-256-cbc', aesKey(password), bytes.subarray(0, BLOCK)).setAutoPadding(false)
  const plain = Buffer.concat([cipher.update(bytes.subarray(BLOCK)), cipher.final()])
  const padding = plain.at(-1) ?? 0
  if (padding > plain.length) fail('the text was not encrypted with this password')
  return fromBytes(plain.subarray(0, plain.length - padding))
}

function hashed(run: Run, name: string, password: string): string {
  const bytes = toBytes(password)
  const salt = randomBytes(run, name, BLOCK)
  if (bytes.length > MAX_PASSWORD) return 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes'
  run.meter.step(BCRYPT_STEPS)
  return bcryptHash(bytes, salt, COST, run.remember('blowfish', initialBlowfish))
}
