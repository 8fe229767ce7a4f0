// Cuts a template into tokens. Outside of actions everything is text; `{{- ` and ` -}}` take the blanks beside them away.
import { KEYWORDS, type Token, type TokenType } from './tokens.ts'

/** Marks of the beginning and the end of an action. */
export type Delimiters = readonly [left: string, right: string]

const SPACES = ' \t\r\n'
const SPACE_RUN = /[ \t\r\n]+/y
const WORD = /[\p{L}\p{Nd}_]+/uy
const WORD_CHARACTER = /[\p{L}\p{Nd}_]/uy
const NUMBER = new RegExp(
  [
    '[+-]?(?:',
    String.raw`0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?`,
    String.raw`|0[oO][0-7_]*(?:\.[0-7_]*)?`,
    String.raw`|0[bB][01_]*(?:\.[01_]*)?`,
    String.raw`|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?`,
    ')i?',
  ].join(''),
  'y',
)
const QUOTED = /"(?:\\[^\n]|[^"\\\n])*"/y
const CHARACTER = /'(?:\\[^\n]|[^'\\\n])*'/y
const TERMINATORS = '.,|:)('

/** One pass over a template. After an `error` token it gives no other. */
export class Lexer {
  readonly #text: string
  readonly #left: string
  readonly #right: string
  #position = 0
  #inAction = false
  #parentheses = 0
  #failed: Token | undefined

  constructor(text: string, [left, right]: Delimiters) {
    this.#text = text
    this.#left = left
    this.#right = right
  }

  next(): Token {
    if (this.#failed) return this.#failed
    return this.#inAction ? this.#insideAction() : this.#outside()
  }

  #token(type: TokenType, end: number): Token {
    const token = { type, position: this.#position, text: this.#text.slice(this.#position, end) }
    this.#position = end
    return token
  }

  #fail(message: string, position = this.#position): Token {
    this.#failed = { type: 'error', position, text: message }
    return this.#failed
  }

  #outside(): Token {
    for (;;) {
      const start = this.#position
      const at = this.#text.indexOf(this.#left, start)
      if (at < 0) return start < this.#text.length ? this.#token('text', this.#text.length) : { type: 'eof', position: start, text: 'EOF' }
      const trims = this.#hasLeftTrim(at + this.#left.length)
      const end = trims ? this.#beforeSpaces(start, at) : at
      if (end > start) {
        const token = this.#token('text', end)
        this.#position = at
        return token
      }
      this.#position = at
      const begin = at + this.#left.length + (trims ? 2 : 0)
      if (!this.#text.startsWith('/*', begin)) return this.#leftDelimiter(begin)
      const problem = this.#skipComment(begin)
      if (problem) return problem
    }
  }

  #beforeSpaces(start: number, at: number): number {
    let end = at
    while (end > start && SPACES.includes(this.#text.charAt(end - 1))) end--
    return end
  }

  #hasLeftTrim(index: number): boolean {
    return this.#text[index] === '-' && this.#isSpace(index + 1)
  }

  #isSpace(index: number): boolean {
    return index < this.#text.length && SPACES.includes(this.#text.charAt(index))
  }

  #leftDelimiter(begin: number): Token {
    const token = { type: 'leftDelimiter', position: this.#position, text: this.#left } as const
    this.#position = begin
    this.#inAction = true
    this.#parentheses = 0
    return token
  }

  #skipComment(begin: number): Token | undefined {
    const close = this.#text.indexOf('*/', begin + 2)
    if (close < 0) return this.#fail('unclosed comment')
    this.#position = close + 2
    const delimiter = this.#atRightDelimiter()
    if (!delimiter) return this.#fail('comment ends before closing delimiter')
    this.#leaveAction(delimiter)
    return undefined
  }

  #atRightDelimiter(): 'plain' | 'trimming' | undefined {
    const at = this.#position
    if (this.#isSpace(at) && this.#text[at + 1] === '-' && this.#text.startsWith(this.#right, at + 2)) return 'trimming'
    return this.#text.startsWith(this.#right, at) ? 'plain' : undefined
  }

  #leaveAction(delimiter: 'plain' | 'trimming'): void {
    this.#position += this.#right.length + (delimiter === 'trimming' ? 2 : 0)
    if (delimiter === 'trimming') while (this.#isSpace(this.#position)) this.#position++
    this.#inAction = false
  }

  #insideAction(): Token {
    const delimiter = this.#atRightDelimiter()
    if (delimiter) {
      if (this.#parentheses > 0) return this.#fail('unclosed left paren')
      const token = { type: 'rightDelimiter', position: this.#position, text: this.#right } as const
      this.#leaveAction(delimiter)
      return token
    }
    const at = this.#position
    const character = this.#text.charAt(at)
    if (character === '') return this.#fail('unclosed action')
    if (SPACES.includes(character)) return this.#space()
    const found = this.#punctuation(character) ?? this.#quoted(character)
    if (found) return found
    if (character === '.' && !/\d/.test(this.#text.charAt(at + 1))) return this.#fieldOrVariable('field')
    if (character === '$') return this.#fieldOrVariable('variable')
    if (/[+\-.\d]/.test(character)) return this.#number()
    const word = this.#match(WORD)
    if (word) return this.#word(word)
    if (character >= '!' && character <= '~') return this.#token(character === ',' ? 'comma' : 'other', at + 1)
    return this.#fail(`unrecognized character in action: ${describe(this.#text, at)}`)
  }

  #match(pattern: RegExp, position = this.#position): string | undefined {
    pattern.lastIndex = position
    return pattern.exec(this.#text)?.[0]
  }

  #space(): Token {
    const end = this.#position + (this.#match(SPACE_RUN)?.length ?? 0)
    // the last blank may belong to a closing delimiter that trims
    const trims = this.#text[end] === '-' && this.#text.startsWith(this.#right, end + 1)
    if (!trims) return this.#token('space', end)
    if (end - this.#position > 1) return this.#token('space', end - 1)
    return this.#insideAction()
  }

  #punctuation(character: string): Token | undefined {
    const at = this.#position
    switch (character) {
      case '=':
        return this.#token('assign', at + 1)
      case ':':
        return this.#text[at + 1] === '=' ? this.#token('declare', at + 2) : this.#fail('expected :=')
      case '|':
        return this.#token('pipe', at + 1)
      case '(':
        this.#parentheses++
        return this.#token('leftParenthesis', at + 1)
      case ')':
        if (--this.#parentheses < 0) return this.#fail('unexpected right paren')
        return this.#token('rightParenthesis', at + 1)
      default:
        return undefined
    }
  }

  #quoted(character: string): Token | undefined {
    const at = this.#position
    if (character === '"') {
      const text = this.#match(QUOTED)
      return text === undefined ? this.#fail('unterminated quoted string') : this.#token('string', at + text.length)
    }
    if (character === "'") {
      const text = this.#match(CHARACTER)
      return text === undefined ? this.#fail('unterminated character constant') : this.#token('character', at + text.length)
    }
    if (character !== '`') return undefined
    const close = this.#text.indexOf('`', at + 1)
    return close < 0 ? this.#fail('unterminated raw quoted string') : this.#token('rawString', close + 1)
  }

  #fieldOrVariable(type: 'field' | 'variable'): Token {
    const at = this.#position
    if (this.#atTerminator(at + 1)) return this.#token(type === 'field' ? 'dot' : 'variable', at + 1)
    const end = at + 1 + (this.#match(WORD, at + 1)?.length ?? 0)
    return this.#atTerminator(end) ? this.#token(type, end) : this.#badCharacter(end)
  }

  #word(word: string): Token {
    const end = this.#position + word.length
    if (!this.#atTerminator(end)) return this.#badCharacter(end)
    if (KEYWORDS.has(word)) return this.#token('keyword', end)
    if (word === 'nil') return this.#token('nil', end)
    return this.#token(word === 'true' || word === 'false' ? 'boolean' : 'identifier', end)
  }

  #number(): Token {
    const at = this.#position
    let end = at + (this.#match(NUMBER)?.length ?? 0)
    let type: TokenType = 'number'
    if (/[+-]/.test(this.#text.charAt(end))) {
      end += this.#match(NUMBER, end)?.length ?? 0
      type = 'complex'
    }
    const trailing = this.#match(WORD_CHARACTER, end) ?? ''
    const ends = trailing === '' && (type === 'number' || this.#text[end - 1] === 'i')
    return ends ? this.#token(type, end) : this.#fail(`bad number syntax: ${JSON.stringify(this.#text.slice(at, end) + trailing)}`)
  }

  #atTerminator(index: number): boolean {
    const character = this.#text.charAt(index)
    return character === '' || SPACES.includes(character) || TERMINATORS.includes(character) || this.#text.startsWith(this.#right, index)
  }

  #badCharacter(index: number): Token {
    return this.#fail(`bad character ${describe(this.#text, index)}`)
  }
}

function describe(text: string, index: number): string {
  const code = text.codePointAt(index) ?? 0
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`
}
