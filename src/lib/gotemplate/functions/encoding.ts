// Base64, base32 and hashes.
import { createHash } from 'node:crypto'
import { fromBytes, toBytes } from '../values/bytes.ts'
import { define, type FunctionTable } from './define.ts'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** How many bytes so many characters of base32 make; what is missing here is no length. */
const BASE32_LENGTHS: ReadonlyMap<number, number> = new Map([
  [2, 1],
  [4, 2],
  [5, 3],
  [7, 4],
  [8, 5],
])

/** Functions that encode, decode and hash. */
export const ENCODING: FunctionTable = {
  b64enc: define(['string'], (text) => toBytes(text).toString('base64')),
  // what cannot be decoded gives the text of the error
  b64dec: define(['string'], (text) => {
    const bytes = decodeBase64(text)
    return typeof bytes === 'number' ? `illegal base64 data at input byte ${bytes}` : fromBytes(bytes)
  }),
  b32enc: define(['string'], encodeBase32),
  b32dec: define(['string'], (text) => {
    const bytes = decodeBase32(text)
    return typeof bytes === 'number' ? `illegal base32 data at input byte ${bytes}` : fromBytes(bytes)
  }),
  sha1sum: define(['string'], (text) => hash('sha1', text)),
  sha256sum: define(['string'], (text) => hash('sha256', text)),
  sha512sum: define(['string'], (text) => hash('sha512', text)),
  adler32sum: define(['string'], (text) => String(adler32(toBytes(text)))),
}

function hash(algorithm: string, text: string): string {
  return createHash(algorithm).update(toBytes(text)).digest('hex')
}

function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0]
  for (const byte of bytes) {
    low = (low + byte) % 65_521
    high = (high + low) % 65_521
  }
  return high * 65_536 + low
}

/** The bytes of a text in base64 with padding; line ends are passed over. A number is the place at which it goes wrong. */
export function decodeBase64(text: string): Buffer | number {
  const source = toBytes(text).toString('latin1')
  const end = source.search(/[^A-Za-z0-9+/\r\n]/)
  const data = end < 0 ? source : source.slice(0, end)
  const digits = data.replace(/[\r\n]/g, '')
  const open = digits.length % 4
  // the place where Go looks for a missing character of the last group
  if (end < 0) return open === 0 ? Buffer.from(digits, 'base64') : source.length - open
  if (source[end] !== '=' || open < 2) return end
  const next = skipLineEnds(source, end + 1)
  if (open === 2 && next === source.length) return next
  if (open === 2 && source[next] !== '=') return next - 1
  const rest = skipLineEnds(source, open === 2 ? next + 1 : next)
  return rest === source.length ? Buffer.from(digits, 'base64') : rest
}

function skipLineEnds(text: string, from: number): number {
  let index = from
  while (text[index] === '\n' || text[index] === '\r') index++
  return index
}

function encodeBase32(text: string): string {
  let encoded = ''
  let [bits, count] = [0, 0]
  for (const byte of toBytes(text)) {
    bits = (bits << 8) | byte
    count += 8
    while (count >= 5) {
      count -= 5
      encoded += BASE32.charAt((bits >> count) & 31)
    }
    bits &= (1 << count) - 1
  }
  if (count > 0) encoded += BASE32.charAt((bits << (5 - count)) & 31)
  return encoded.padEnd(Math.ceil(encoded.length / 8) * 8, '=')
}

/** The bytes of a text in base32 with padding. A number is the place at which it goes wrong, line ends not counted. */
function decodeBase32(text: string): Buffer | number {
  const source = toBytes(text)
    .toString('latin1')
    .replace(/[\r\n]/g, '')
  const end = source.search(/[^A-Z2-7]/)
  const digits = end < 0 ? source : source.slice(0, end)
  const open = digits.length % 8
  if (end < 0) return open === 0 ? fromDigits(digits, 0) : source.length - open
  const rest = source.slice(end + 1)
  if (source[end] !== '=' || open < 2 || rest.length >= 8) return end
  if (rest.length + open < 7) return source.length
  const wrong = [...rest.slice(0, 7 - open)].findIndex((character) => character !== '=')
  if (wrong >= 0) return end + wrong
  return BASE32_LENGTHS.has(open) ? fromDigits(digits, open) : end
}

function fromDigits(digits: string, open: number): Buffer {
  const bytes: number[] = []
  let [bits, count] = [0, 0]
  for (const digit of digits) {
    bits = (bits << 5) | BASE32.indexOf(digit)
    count += 5
    if (count < 8) continue
    count -= 8
    bytes.push((bits >> count) & 0xff)
    bits &= (1 << count) - 1
  }
  const whole = Math.floor(digits.length / 8) * 5
  return Buffer.from(bytes.slice(0, whole + (BASE32_LENGTHS.get(open) ?? 0)))
}
