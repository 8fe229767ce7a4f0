// Texts and characters in Go's quotes, as strconv.Quote writes them.

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u
// what needs no look at single characters
const SIMPLE = /^[ !#-[\]-~]*$/
const SHORT: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** True for what Go calls printable: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export function isPrintable(character: string): boolean {
  return character === ' ' || PRINTABLE.test(character)
}

/** The text in double quotes. With `ascii`, everything else is escaped. */
export function quote(text: string, ascii = false): string {
  if (SIMPLE.test(text)) return `"${text}"`
  let quoted = ''
  for (const character of text) quoted += escaped(character, '"', ascii)
  return `"${quoted}"`
}

/** The character in single quotes. */
export function quoteCharacter(code: number, ascii: boolean): string {
  const valid = code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
  return `'${escaped(String.fromCodePoint(valid ? code : 0xfffd), "'", ascii)}'`
}

/** True if the text can stand between backquotes. */
export function canBackquote(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what cannot stand there
  return !/[\0-\x08\x0a-\x1f`\x7f\ufeff\udc80-\udcff]/u.test(text)
}

function escaped(character: string, delimiter: string, ascii: boolean): string {
  if (character === delimiter || character === '\\') return `\\${character}`
  const code = character.codePointAt(0) ?? 0
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`
  if (code < 0x80 ? code >= 0x20 && code < 0x7f : !ascii && isPrintable(character)) return character
  const short = SHORT[character]
  if (short) return short
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}
