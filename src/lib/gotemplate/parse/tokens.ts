/** What the lexer finds. `text` includes quotes, the dot of a field and the dollar of a variable. */
export interface Token {
  readonly type: TokenType
  /** index of its first character in the template */
  readonly position: number
  readonly text: string
}

/** Kinds of tokens. */
export type TokenType =
  | 'error'
  | 'eof'
  | 'text'
  | 'leftDelimiter'
  | 'rightDelimiter'
  | 'space'
  | 'identifier'
  | 'keyword'
  | 'field'
  | 'variable'
  | 'dot'
  | 'nil'
  | 'boolean'
  | 'number'
  | 'complex'
  | 'character'
  | 'string'
  | 'rawString'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'comma'
  | 'other'
  | 'leftParenthesis'
  | 'rightParenthesis'

/** Words that are no functions. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
])
