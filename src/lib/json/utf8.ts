// Text as Go sees it: bytes of UTF-8. JavaScript counts and sorts in UTF-16 units, which differs outside of ASCII.

/** Order of two texts by their UTF-8 bytes, for `sort`. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

// surrogates stand for characters above U+FFFF, so they come after the rest of the 16-bit range
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** The first bytes of a text. Each byte of a character that is cut in two becomes U+FFFD, as when Go prints such a text. */
export function cutUtf8(text: string, length: number): string {
  const cut = Buffer.from(text).subarray(0, length)
  const broken = brokenTail(cut)
  return cut.toString('utf8', 0, cut.length - broken) + '\ufffd'.repeat(broken)
}

function brokenTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return back < sequenceLength(byte) ? back : 0
  }
  return 0
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4
  return lead >= 0xe0 ? 3 : 2
}
