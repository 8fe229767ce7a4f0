// bcrypt, as in OpenBSD: Blowfish with a key schedule that is made slow.

/** The first fractional bits of π: what Blowfish starts from. */
export interface Blowfish {
  readonly p: Uint32Array
  readonly s: Uint32Array
}

const P_WORDS = 18
const WORDS = P_WORDS + 4 * 256
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const MAGIC = 'OrpheanBeholderScryDoubt'

/** Works out the initial state of Blowfish; takes some milliseconds. */
export function initialBlowfish(): Blowfish {
  const bits = BigInt(WORDS * 32 + 64)
  // π = 16 arctan(1/5) − 4 arctan(1/239)
  const pi = 16n * arctan(5n, bits) - 4n * arctan(239n, bits)
  const hex = ((pi - (3n << bits)) >> 64n).toString(16).padStart(WORDS * 8, '0')
  const words = Uint32Array.from({ length: WORDS }, (_, index) => Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16))
  return { p: words.slice(0, P_WORDS), s: words.slice(P_WORDS) }
}

/** arctan(1/x) as a fraction of 2^bits. */
function arctan(x: bigint, bits: bigint): bigint {
  let power = (1n << bits) / x
  let sum = power
  for (let divisor = 3n; power !== 0n; divisor += 2n) {
    power = -power / (x * x)
    sum += power / divisor
  }
  return sum
}

/** The hash of a password of at most 72 bytes with 16 bytes of salt. */
export function bcryptHash(password: Uint8Array, salt: Uint8Array, cost: number, initial: Blowfish): string {
  const key = Buffer.concat([password, Buffer.of(0)])
  const state: Blowfish = { p: initial.p.slice(), s: initial.s.slice() }
  expand(state, key, salt)
  for (let round = 0; round < 2 ** cost; round++) {
    expand(state, key, undefined)
    expand(state, salt, undefined)
  }
  const words = Array.from({ length: 6 }, (_, index) => Buffer.from(MAGIC).readUInt32BE(index * 4))
  const pair = new Uint32Array(2)
  for (let block = 0; block < 6; block += 2) {
    pair.set([words[block] ?? 0, words[block + 1] ?? 0])
    for (let round = 0; round < 64; round++) encipher(state, pair)
    words.splice(block, 2, pair[0] ?? 0, pair[1] ?? 0)
  }
  const digest = Buffer.alloc(24)
  for (const [index, word] of words.entries()) digest.writeUInt32BE(word, index * 4)
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(digest.subarray(0, 23))}`
}

function expand({ p, s }: Blowfish, key: Uint8Array, salt: Uint8Array | undefined): void {
  let at = 0
  for (let index = 0; index < p.length; index++) {
    let word = 0
    for (let byte = 0; byte < 4; byte++) word = (word << 8) | (key[at++ % key.length] ?? 0)
    p[index] = (p[index] ?? 0) ^ word
  }
  const pair = new Uint32Array(2)
  const words = salt && Buffer.from(salt)
  let position = 0
  for (const box of [p, s]) {
    for (let index = 0; index < box.length; index += 2) {
      if (words) {
        pair[0] = (pair[0] ?? 0) ^ words.readUInt32BE(position)
        pair[1] = (pair[1] ?? 0) ^ words.readUInt32BE(position + 4)
        position = (position + 8) % 16
      }
      encipher({ p, s }, pair)
      box.set(pair, index)
    }
  }
}

function encipher({ p, s }: Blowfish, pair: Uint32Array): void {
  let left = (pair[0] ?? 0) ^ (p[0] ?? 0)
  let right = pair[1] ?? 0
  for (let round = 1; round <= 16; round += 2) {
    right ^= mixed(s, left) ^ (p[round] ?? 0)
    left ^= mixed(s, right) ^ (p[round + 1] ?? 0)
  }
  pair[0] = right ^ (p[17] ?? 0)
  pair[1] = left
}

function mixed(s: Uint32Array, word: number): number {
  const sum = ((s[word >>> 24] ?? 0) + (s[256 + ((word >>> 16) & 0xff)] ?? 0)) | 0
  return ((sum ^ (s[512 + ((word >>> 8) & 0xff)] ?? 0)) + (s[768 + (word & 0xff)] ?? 0)) | 0
}

/** bcrypt's own base64. */
function encode(bytes: Uint8Array): string {
  let [text, bits, count] = ['', 0, 0]
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff
    for (count += 8; count >= 6; ) {
      count -= 6
      text += ALPHABET.charAt((bits >> count) & 63)
    }
  }
  return count > 0 ? text + ALPHABET.charAt((bits << (6 - count)) & 63) : text
}
