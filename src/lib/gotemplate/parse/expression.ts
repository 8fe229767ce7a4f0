// Pipelines, commands and operands; the token stream with its look-ahead.
import { shortened, TemplateLimitError, TemplateSyntaxError } from '../errors.ts'
import { type Delimiters, Lexer } from './lexer.ts'
import { unquote } from './literal.ts'
import { type Command, type Operand, type Pipe, sourceOf } from './nodes.ts'
import { parseNumber } from './number.ts'
import { lineAt, placeAt } from './place.ts'
import { Scope } from './scope.ts'
import type { Token, TokenType } from './tokens.ts'

interface ExpressionOptions {
  readonly name: string
  readonly delimiters: Delimiters
  readonly maxDepth: number
  hasFunction(name: string): boolean
}

const OPERANDS: ReadonlySet<TokenType> = new Set([
  'boolean',
  'character',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParenthesis',
])
/** What cannot receive the result of the command before it. */
const VALUES: ReadonlySet<Operand['kind']> = new Set(['boolean', 'dot', 'nil', 'number', 'string'])

/** The part of the parser that reads expressions. Throws `TemplateSyntaxError` and `TemplateLimitError`. */
export class ExpressionParser {
  readonly #text: string
  readonly #options: ExpressionOptions
  readonly #lexer: Lexer
  /** tokens read ahead, the next one last */
  readonly #ahead: Token[] = []
  #variables = new Scope()
  #depth = 0
  #last: Token | undefined
  #action: Token | undefined

  constructor(text: string, options: ExpressionOptions) {
    this.#text = text
    this.#options = options
    this.#lexer = new Lexer(text, options.delimiters)
  }

  protected next(): Token {
    const token = this.#ahead.pop() ?? this.#lexer.next()
    this.#last = token
    return token
  }

  protected putBack(...tokens: readonly Token[]): void {
    this.#ahead.push(...tokens.toReversed())
  }

  protected peek(): Token {
    const token = this.next()
    this.putBack(token)
    return token
  }

  protected nextNonSpace(): Token {
    let token = this.next()
    while (token.type === 'space') token = this.next()
    return token
  }

  protected peekNonSpace(): Token {
    const token = this.nextNonSpace()
    this.putBack(token)
    return token
  }

  protected expect(type: TokenType, context: string): Token {
    const token = this.nextNonSpace()
    return token.type === type ? token : this.unexpected(token, context)
  }

  protected fail(message: string): never {
    const place = placeAt(this.#text, this.#last?.position ?? 0)
    throw new TemplateSyntaxError(`template: ${this.#options.name}:${place.line}:${place.column}: ${shortened(message, 300)}`, place)
  }

  protected unexpected(token: Token, context: string): never {
    this.#last = token
    if (token.type !== 'error') this.fail(`unexpected ${describe(token)} in ${context}`)
    const started = this.#action ? lineAt(this.#text, this.#action.position) : 0
    const elsewhere = started > 0 && started !== lineAt(this.#text, token.position)
    this.fail(elsewhere ? `${token.text} that started in line ${started}` : token.text)
  }

  /** Runs a part of the parser inside the action that a token opens. */
  protected inAction<T>(token: Token, step: () => T): T {
    this.#action = token
    const result = step()
    this.#action = undefined
    return result
  }

  /** Variables declared by the step end with it. */
  protected scoped<T>(step: () => T): T {
    const mark = this.#variables.mark
    const result = step()
    this.#variables.endAt(mark)
    return result
  }

  /** Variables from outside are not known to the step. */
  protected withoutVariables<T>(step: () => T): T {
    const outer = this.#variables
    this.#variables = new Scope()
    const result = step()
    this.#variables = outer
    return result
  }

  protected text(token: Token): string {
    return unquote(token.text) ?? this.fail('invalid syntax')
  }

  protected pipe(context: string, end: TokenType): Pipe {
    const { position } = this.peekNonSpace()
    const { variables, assigns } = this.#declarations(context)
    const commands: Command[] = []
    for (;;) {
      const token = this.nextNonSpace()
      if (token.type === end) break
      if (!OPERANDS.has(token.type)) this.unexpected(token, context)
      this.putBack(token)
      commands.push(this.#command())
    }
    if (commands.length === 0) this.fail(`missing value for ${context}`)
    const stage = commands.findIndex(({ words }, index) => index > 0 && VALUES.has(words[0].kind))
    if (stage > 0) this.fail(`non executable command in pipeline stage ${stage + 1}`)
    return { kind: 'pipe', position, variables, assigns, commands }
  }

  #declarations(context: string): { variables: readonly string[]; assigns: boolean } {
    const variables: string[] = []
    while (this.peekNonSpace().type === 'variable') {
      const variable = this.nextNonSpace()
      const after = this.next()
      const token = after.type === 'space' ? this.nextNonSpace() : after
      if (token.type === 'assign' || token.type === 'declare') {
        variables.push(variable.text)
        this.#variables.add(variable.text)
        return { variables, assigns: token.type === 'assign' }
      }
      if (token.type !== 'comma') {
        // no declaration: the blank may separate two operands
        this.putBack(...(after.type === 'space' ? [variable, after, token] : [variable, token]))
        return { variables, assigns: false }
      }
      variables.push(variable.text)
      this.#variables.add(variable.text)
      if (context !== 'range' || variables.length > 1) this.fail(`too many declarations in ${context}`)
      if (!['variable', 'rightDelimiter', 'rightParenthesis'].includes(this.peekNonSpace().type)) {
        this.fail('range can only initialize variables')
      }
    }
    return { variables, assigns: false }
  }

  #command(): Command {
    const { position } = this.peekNonSpace()
    const words: Operand[] = []
    for (;;) {
      const operand = this.#operand()
      if (operand) words.push(operand)
      const token = this.next()
      if (token.type === 'space') continue
      if (token.type === 'rightDelimiter' || token.type === 'rightParenthesis') this.putBack(token)
      else if (token.type !== 'pipe') this.unexpected(token, 'operand')
      break
    }
    const [first, ...rest] = words
    return first ? { kind: 'command', position, words: [first, ...rest] } : this.fail('empty command')
  }

  #operand(): Operand | undefined {
    const term = this.#term()
    if (!term || this.peek().type !== 'field') return term
    const { position } = this.peek()
    const names: string[] = []
    while (this.peek().type === 'field') names.push(this.next().text.slice(1))
    if (term.kind === 'field' || term.kind === 'variable') return { ...term, position, names: [...term.names, ...names] }
    if (VALUES.has(term.kind)) this.fail(`unexpected . after term ${JSON.stringify(sourceOf(term))}`)
    return { kind: 'chain', position, target: term, names }
  }

  #term(): Operand | undefined {
    const token = this.nextNonSpace()
    const { position, text } = token
    switch (token.type) {
      case 'identifier':
        if (!this.#options.hasFunction(text)) this.fail(`function ${JSON.stringify(text)} not defined`)
        return { kind: 'function', position, name: text }
      case 'dot':
      case 'nil':
        return { kind: token.type, position }
      case 'variable':
        if (!this.#variables.has(text)) this.fail(`undefined variable ${JSON.stringify(text)}`)
        return { kind: 'variable', position, name: text, names: [] }
      case 'field':
        return { kind: 'field', position, names: [text.slice(1)] }
      case 'boolean':
        return { kind: 'boolean', position, value: text === 'true' }
      case 'number':
      case 'complex':
      case 'character':
        return this.#number(token, token.type)
      case 'string':
      case 'rawString':
        return { kind: 'string', position, quoted: text, value: this.text(token) }
      case 'leftParenthesis':
        return this.#parenthesised()
      default:
        this.putBack(token)
        return undefined
    }
  }

  #number({ position, text }: Token, type: 'number' | 'complex' | 'character'): Operand {
    const constant = parseNumber(text, type)
    return typeof constant === 'string' ? this.fail(constant) : { kind: 'number', position, text, constant }
  }

  #parenthesised(): Pipe {
    const { maxDepth } = this.#options
    if (++this.#depth > maxDepth) throw new TemplateLimitError(`the template nests parentheses deeper than ${maxDepth} levels`)
    const pipe = this.pipe('parenthesized pipeline', 'rightParenthesis')
    this.#depth--
    return pipe
  }
}

function describe({ type, text }: Token): string {
  if (type === 'eof') return 'EOF'
  if (type === 'keyword') return `<${text}>`
  return text.length > 10 ? `${JSON.stringify(text.slice(0, 10))}...` : JSON.stringify(text)
}
