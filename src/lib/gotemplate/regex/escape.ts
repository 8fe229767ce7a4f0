const LETTERS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }
const OCTAL = /[1-7][0-7]{1,2}|0[0-7]{0,2}/y
const HEXADECIMAL = /x(?:\{([\da-fA-F]+)\}|([\da-fA-F]{2}))/y

/** The character of an escape sequence that starts with a backslash at an index, and where it ends; no code if there is none. */
export function parseEscape(pattern: string, index: number): { readonly code: number | undefined; readonly end: number } {
  const from = index + 1
  OCTAL.lastIndex = from
  const octal = OCTAL.exec(pattern)?.[0]
  if (octal !== undefined) return { code: Number.parseInt(octal, 8), end: from + octal.length }
  HEXADECIMAL.lastIndex = from
  const hex = HEXADECIMAL.exec(pattern)
  if (hex) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16)
    return { code: code <= 0x10ffff ? code : undefined, end: from + hex[0].length }
  }
  const character = pattern.charAt(from)
  const end = Math.min(from + 1, pattern.length)
  if (Object.hasOwn(LETTERS, character)) return { code: LETTERS[character], end }
  // escaped punctuation stands for itself, and so does the underscore
  const code = character.charCodeAt(0)
  return code < 0x80 && !/[0-9A-Za-z]/.test(character) ? { code, end } : { code: undefined, end }
}
