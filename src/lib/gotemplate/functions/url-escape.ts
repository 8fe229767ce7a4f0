// Percent encoding as Go's net/url does it, part by part of a URL.
import { fromBytes, toBytes } from '../values/bytes.ts'

/** The parts of a URL: each leaves other characters as they are. */
export type UrlPart = 'query' | 'path' | 'user' | 'fragment' | 'host' | 'zone'

const PLAIN: Readonly<Record<UrlPart, RegExp>> = {
  query: /[\w.~-]/,
  path: /[\w.~$&+,/:;=@-]/,
  user: /[\w.~$&+,;=-]/,
  fragment: /[\w.~$&+,/:;=?@!()*-]/,
  host: /[\w.~!$&'()*+,;=:[\]<>"-]/,
  zone: /[\w.~!$&'()*+,;=:[\]<>"-]/,
}

/** Escapes a text for a part of a URL. */
export function escapePart(text: string, part: UrlPart): string {
  const plain = PLAIN[part]
  let escaped = ''
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte)
    if (byte < 0x80 && plain.test(character)) escaped += character
    else if (part === 'query' && byte === 0x20) escaped += '+'
    else escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}

/** Go's url.QueryEscape. */
export function escapeQuery(text: string): string {
  return escapePart(text, 'query')
}

/** Undoes percent encoding; undefined if the text is malformed. */
export function unescapePart(text: string): string | undefined {
  if (!text.includes('%')) return text
  if (/%(?![\da-fA-F]{2})/.test(text)) return undefined
  const bytes = toBytes(text)
  const plain: number[] = []
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    plain.push(byte === 0x25 ? Number.parseInt(bytes.toString('latin1', index + 1, index + 3), 16) : byte)
    if (byte === 0x25) index += 2
  }
  return fromBytes(Uint8Array.from(plain))
}

/** Undoes percent encoding in a host name, where only what is no ASCII may be encoded; undefined if the text is malformed. */
export function unescapeHost(text: string, part: 'host' | 'zone'): string | undefined {
  const plain = PLAIN[part]
  for (const [piece] of text.matchAll(/%.{0,2}|[^%]/gsu)) {
    if (piece.startsWith('%')) {
      if (!isHostEscape(piece, part)) return undefined
    } else if (piece <= '\x7f' && !plain.test(piece)) return undefined
  }
  return unescapePart(text)
}

function isHostEscape(code: string, part: 'host' | 'zone'): boolean {
  if (code === '%25') return true
  const byte = Number.parseInt(code.slice(1), 16)
  if (part === 'host') return byte >= 0x80
  return byte === 0x20 || (byte < 0x80 && PLAIN.host.test(String.fromCharCode(byte)))
}
