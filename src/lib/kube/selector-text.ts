// The text form of label selectors, as in `?labelSelector=` and in `kubectl -l` (grammar of apimachinery's labels.Parse).
import { checkRequirement, InvalidSelectorError, type Requirement, type RequirementOperator } from './requirements.ts'

interface Token {
  readonly kind: 'word' | 'symbol' | 'end'
  readonly text: string
}

const TOKEN = /[ \t\r\n]*(?:([!=<>(),])|([^ \t\r\n!=<>(),]+))/y
const TWO_CHARACTER_SYMBOLS = new Set(['==', '!='])
const END: Token = { kind: 'end', text: '' }

/** Longest selector that is looked at; a URL could hardly carry more. */
const MAX_LENGTH = 64 * 1024

/** The requirements of a selector's text. Throws InvalidSelectorError. */
export function parseRequirements(text: string): Requirement[] {
  if (text.length > MAX_LENGTH)
    throw new InvalidSelectorError(`label selector of ${text.length} characters is too long: ${MAX_LENGTH} at most`)
  const tokens = tokenize(text)
  const requirements: Requirement[] = []
  let position = 0

  const peek = (): Token => tokens[position] ?? END
  const next = (): Token => tokens[position++] ?? END
  const fail = (found: Token, expected: string): never => {
    const what = found.kind === 'end' ? 'the end' : `"${found.text}"`
    throw new InvalidSelectorError(`invalid label selector "${text}": found ${what}, expected ${expected}`)
  }

  function requirement(): Requirement {
    const negated = peek().text === '!'
    if (negated) next()
    const name = next()
    if (name.kind !== 'word') fail(name, 'a label key')
    const atEnd = peek().kind === 'end' || peek().text === ','
    if (negated) return { key: name.text, operator: '!', values: [] }
    if (atEnd) return { key: name.text, operator: 'exists', values: [] }
    const operator = operatorOf(next())
    const values = operator === 'in' || operator === 'notin' ? valueList() : exactValue()
    return { key: name.text, operator, values }
  }

  function operatorOf(token: Token): RequirementOperator {
    switch (token.text) {
      case '=':
      case '==':
        return '='
      case '!=':
      case '>':
      case '<':
      case 'in':
      case 'notin':
        return token.text
      default:
        return fail(token, 'one of =, ==, !=, >, <, in, notin')
    }
  }

  function exactValue(): string[] {
    if (peek().kind === 'end' || peek().text === ',') return ['']
    const value = next()
    return value.kind === 'word' ? [value.text] : fail(value, 'a value')
  }

  // empty places count as the empty value; of the odd forms exactly those that Kubernetes takes: `()`, `(,a)`, `(a,)`, `(a,,b)`, not `(a,,)`
  function valueList(): string[] {
    const open = next()
    if (open.text !== '(') fail(open, '"("')
    const values = new Set<string>()
    if (peek().text === ')') values.add('')
    while (peek().text !== ')') {
      const token = next()
      if (token.kind === 'word') {
        values.add(token.text)
        if (peek().text !== ',' && peek().text !== ')') fail(peek(), '"," or ")"')
      } else if (token.text === ',') emptyPlaces(values)
      else fail(token, 'a value, "," or ")"')
    }
    next()
    return [...values]
  }

  function emptyPlaces(values: Set<string>): void {
    if (values.size === 0 || peek().text === ')') values.add('')
    if (peek().text !== ',') return
    next()
    values.add('')
    if (peek().text === ')') fail(peek(), 'a value or ","')
  }

  while (peek().kind !== 'end') {
    requirements.push(checkRequirement(requirement()))
    const separator = next()
    if (separator.kind === 'end') break
    if (separator.text !== ',') fail(separator, '"," or the end')
    if (peek().kind !== 'word' && peek().text !== '!') fail(peek(), 'a label key')
  }
  return requirements
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (!match) break // nothing but white space is left
    at = TOKEN.lastIndex
    const symbol = match[1]
    if (symbol === undefined) {
      tokens.push({ kind: 'word', text: match[2] ?? '' })
      continue
    }
    const pair = symbol + (text[at] ?? '')
    const long = TWO_CHARACTER_SYMBOLS.has(pair)
    if (long) at += 1
    tokens.push({ kind: 'symbol', text: long ? pair : symbol })
  }
  return tokens
}
