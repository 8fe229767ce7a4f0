// Classes and cases of single characters as Go's unicode package knows them. JavaScript's own case mapping changes whole texts: `ß` would become `SS`.

import { isAscii } from './bytes.ts'

const UPPER = /\p{Lu}/u
const LOWER = /\p{Ll}/u
const TITLE = /\p{Lt}/u
const LETTER = /\p{L}/u
const NUMBER = /\p{N}/u
const DIGIT = /\p{Nd}/u
const PUNCTUATION = /\p{P}/u
const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/
const SPACES_AROUND = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/
const TITLE_OF: ReadonlyMap<string, string> = new Map(
  ['\u01c4\u01c5\u01c6', '\u01c7\u01c8\u01c9', '\u01ca\u01cb\u01cc', '\u01f1\u01f2\u01f3'].flatMap((group) =>
    [...group].map((letter) => [letter, group.charAt(1)] as const),
  ),
)
// Greek letters with an iota below have a capital of one character that JavaScript writes as two
const GREEK_PAIRS: ReadonlyMap<string, string> = new Map([
  ...[0x1f80, 0x1f90, 0x1fa0].flatMap((start) =>
    Array.from({ length: 8 }, (_, index) => [String.fromCharCode(start + index), String.fromCharCode(start + index + 8)] as const),
  ),
  ...[0x1fb3, 0x1fc3, 0x1ff3].map((code) => [String.fromCharCode(code), String.fromCharCode(code + 9)] as const),
])

/** True for capitals. */
export function isUpper(character: string): boolean {
  return UPPER.test(character)
}

/** True for small letters. */
export function isLower(character: string): boolean {
  return LOWER.test(character)
}

/** True for letters that exist for beginnings of words only. */
export function isTitle(character: string): boolean {
  return TITLE.test(character)
}

/** True for letters of any script. */
export function isLetter(character: string): boolean {
  return LETTER.test(character)
}

/** True for digits, fractions, Roman numerals and the like. */
export function isNumber(character: string): boolean {
  return NUMBER.test(character)
}

/** True for decimal digits of any script. */
export function isDigit(character: string): boolean {
  return DIGIT.test(character)
}

/** True for punctuation, dashes and underscores among it. */
export function isPunctuation(character: string): boolean {
  return PUNCTUATION.test(character)
}

/** True for blanks and line ends. */
export function isSpace(character: string): boolean {
  return SPACE.test(character)
}

/** The capital of one character; itself if it has none. */
export function upperOf(character: string): string {
  const upper = character.toUpperCase()
  if (upper.length === character.length) return upper
  return [...upper].length === 1 ? upper : (GREEK_PAIRS.get(character) ?? character)
}

/** The small letter of one character; itself if it has none. */
export function lowerOf(character: string): string {
  const lower = character.toLowerCase()
  return lower.length === character.length || [...lower].length === 1 ? lower : ([...lower][0] ?? character)
}

/** The form of one character at the beginning of a word. */
export function titleOf(character: string): string {
  // Georgian words begin with the letters they consist of
  return TITLE_OF.get(character) ?? (/[\u10d0-\u10ff]/.test(character) ? character : upperOf(character))
}

/** Changes each character. Bytes that belong to none become U+FFFD. */
export function mapCharacters(text: string, change: (character: string) => string): string {
  let changed = ''
  for (const character of text) changed += change(character >= '\udc80' && character <= '\udcff' ? '\ufffd' : character)
  return changed
}

/** The text in capitals, character by character. */
export function upperCase(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapCharacters(text, upperOf)
}

/** The text in small letters, character by character. */
export function lowerCase(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapCharacters(text, lowerOf)
}

/** The text without blanks at both ends. */
export function trimSpace(text: string): string {
  const start = SPACES_AROUND.exec(text)?.[0].length ?? 0
  let end = text.length
  while (end > start && isSpace(text.charAt(end - 1))) end--
  return text.slice(start, end)
}
