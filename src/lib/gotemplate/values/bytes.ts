// Go's texts are bytes, and templates can cut them anywhere. Here a text is a string in which a byte that belongs to no character
// is a lone low surrogate, U+DC00 plus the byte: lengths, cuts and hashes come out right, and no other text contains one.

const ASCII = /^[\0-\x7f]*$/
// with the flag u, halves of a pair do not match
const LONE_BYTE = /[\udc80-\udcff]/u
const LONE_BYTES = /[\udc80-\udcff]/gu

/** True for texts of which each character is one byte. */
export function isAscii(text: string): boolean {
  return ASCII.test(text)
}

/** True if the text contains bytes that belong to no character. */
export function hasLoneBytes(text: string): boolean {
  return LONE_BYTE.test(text)
}

/** The bytes of a text. */
export function toBytes(text: string): Buffer {
  if (!LONE_BYTE.test(text)) return Buffer.from(text)
  const parts: Buffer[] = []
  let from = 0
  for (const { index } of text.matchAll(LONE_BYTES)) {
    parts.push(Buffer.from(text.slice(from, index)), Buffer.of(text.charCodeAt(index) - 0xdc00))
    from = index + 1
  }
  parts.push(Buffer.from(text.slice(from)))
  return Buffer.concat(parts)
}

/** The text of some bytes. */
export function fromBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString()
  return text.includes('\ufffd') ? decodeBroken(buffer) : text
}

function decodeBroken(bytes: Buffer): string {
  let text = ''
  let good = 0
  for (let index = 0; index < bytes.length; ) {
    const length = sequenceLength(bytes, index)
    if (length > 0) {
      index += length
      continue
    }
    text += bytes.toString('utf8', good, index) + String.fromCharCode(0xdc00 + (bytes[index] ?? 0))
    good = ++index
  }
  return text + bytes.toString('utf8', good)
}

/** The length of the character at an index; 0 if there is none. */
function sequenceLength(bytes: Buffer, index: number): number {
  const lead = bytes[index] ?? 0
  if (lead < 0x80) return 1
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
  if (lead < 0xc2 || lead > 0xf4 || index + length > bytes.length) return 0
  for (let next = index + 1; next < index + length; next++) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0
  const second = bytes[index + 1] ?? 0
  if (lead === 0xe0 && second < 0xa0) return 0
  if (lead === 0xed && second > 0x9f) return 0
  if (lead === 0xf0 && second < 0x90) return 0
  return lead === 0xf4 && second > 0x8f ? 0 : length
}

/** The length of a text in bytes. */
export function byteLength(text: string): number {
  return isAscii(text) ? text.length : toBytes(text).length
}

/** A part of a text, by bytes. */
export function sliceBytes(text: string, start: number, end?: number): string {
  return isAscii(text) ? text.slice(start, end) : fromBytes(toBytes(text).subarray(start, end))
}

/** Puts bytes that have come together into characters: what two halves of a character make when they are joined. */
export function joinBytes(text: string): string {
  return LONE_BYTE.test(text) ? fromBytes(toBytes(text)) : text
}

/** The text as it leaves the template: bytes that belong to no character become U+FFFD. */
export function withoutBytes(text: string): string {
  return LONE_BYTE.test(text) ? joinBytes(text).replace(LONE_BYTES, '\ufffd') : text
}

/** The characters of a text; a byte that belongs to none is one of its own. */
export function characterCount(text: string): number {
  if (isAscii(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}
