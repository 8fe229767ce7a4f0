// How Go's YAML writer quotes a text: plain when it reads back as the same text, a literal block when it has several lines, quotes otherwise.
import { typeOfPlain } from './scalar.ts'

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal'

export interface ScalarForm {
  readonly style: ScalarStyle
  /** has a line break: cannot be a key before a colon */
  readonly multiline: boolean
}

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/
const FIRST_INDICATOR = /^[#,[\]{}&*!|>'"%@`]/
const MARKER = /^(?:---|\.\.\.)/
const BREAKS = '\n\r\u0085\u2028\u2029'

/** What counts as a line break: YAML 1.1 knows more of them than YAML 1.2. */
export function isBreak(char: string | undefined): boolean {
  return char !== undefined && char !== '' && BREAKS.includes(char)
}

/** Characters that only an escape in double quotes can carry. Everything beyond 16 bits counts, as do tabs and byte order marks. */
export function needsEscape(char: string): boolean {
  const code = char.codePointAt(0) ?? 0
  if (code === 0x0a) return false
  return code < 0x20 || (code > 0x7e && code < 0xa0) || code === 0xfeff || code === 0xfffe || code > 0xfffe
}

/** `chars` are the code points of the text. With `lossless`, breaks of YAML 1.1 that YAML 1.2 does not know are escaped too, and `<<` is quoted. */
export function formOf(text: string, chars: readonly string[], lossless: boolean): ScalarForm {
  if (text === '') return { style: 'double', multiline: false }
  const found = analyse(chars, lossless)
  const multiline = found.hasBreak
  const isSafe = typeOfPlain(text).type === 'text' && !BASE_60.test(text) && !(lossless && text === '<<')
  const wanted: ScalarStyle = text.includes('\n') ? 'literal' : isSafe ? 'plain' : 'double'
  if (
    wanted === 'plain' &&
    (found.hasBreak || found.edge || found.indicator || found.special || found.spaceBeforeBreak || found.spaceAfterBreak)
  ) {
    return { style: found.special || found.spaceBeforeBreak || found.spaceAfterBreak ? 'double' : 'single', multiline }
  }
  if (wanted === 'literal' && (found.trailingSpace || found.special || found.spaceBeforeBreak)) return { style: 'double', multiline }
  return { style: wanted, multiline }
}

interface Analysis {
  hasBreak: boolean
  /** begins or ends with a space or a break */
  edge: boolean
  trailingSpace: boolean
  spaceBeforeBreak: boolean
  spaceAfterBreak: boolean
  /** reads as syntax: `# ` after a space, a colon before one, an indicator in front */
  indicator: boolean
  special: boolean
}

function analyse(chars: readonly string[], lossless: boolean): Analysis {
  const text = chars.join('')
  const last = chars.at(-1)
  const first = chars[0]
  const found: Analysis = {
    hasBreak: false,
    edge: first === ' ' || last === ' ' || isBreak(first) || isBreak(last),
    trailingSpace: last === ' ',
    spaceBeforeBreak: false,
    spaceAfterBreak: false,
    indicator: MARKER.test(text) || FIRST_INDICATOR.test(text) || /^[-?](?:[ \t]|$)/.test(text),
    special: false,
  }
  for (const [at, char] of chars.entries()) {
    const [before, after] = [chars[at - 1], chars[at + 1]]
    const breaks = isBreak(char)
    if (needsEscape(char) || (lossless && breaks && char !== '\n')) found.special = true
    if (breaks) found.hasBreak = true
    if (breaks && before === ' ') found.spaceBeforeBreak = true
    if (char === ' ' && isBreak(before)) found.spaceAfterBreak = true
    if (char === ':' && (after === undefined || after === ' ' || after === '\t')) found.indicator = true
    if (char === '#' && (before === ' ' || before === '\t' || before === '\0' || isBreak(before))) found.indicator = true
  }
  return found
}
