// Tokens to trees: blocks and control structures. Expressions are in expression.ts.
import { TemplateLimitError } from '../errors.ts'
import { ExpressionParser } from './expression.ts'
import type { Delimiters } from './lexer.ts'
import type { Block, Node } from './nodes.ts'
import type { Token } from './tokens.ts'

/** The templates that a text defines, its own under the name it was given. */
export type Templates = ReadonlyMap<string, Block>

/** What the parser needs to know beside the text. */
export interface ParseOptions {
  readonly name: string
  readonly delimiters: Delimiters
  /** levels of blocks and parentheses */
  readonly maxDepth: number
  hasFunction(name: string): boolean
}

/** Parses a template. Throws `TemplateSyntaxError`, or `TemplateLimitError` when it nests too deeply. */
export function parseTemplates(text: string, options: ParseOptions): Templates {
  return new Parser(text, options).parse()
}

type End = { readonly kind: 'end' } | { readonly kind: 'else'; readonly next: 'if' | 'with' | undefined }

class Parser extends ExpressionParser {
  readonly #name: string
  readonly #maxDepth: number
  readonly #templates = new Map<string, Block>()
  #ranges = 0

  constructor(text: string, options: ParseOptions) {
    super(text, options)
    this.#name = options.name
    this.#maxDepth = options.maxDepth
  }

  parse(): Templates {
    const root: Node[] = []
    for (let token = this.peek(); token.type !== 'eof'; token = this.peek()) {
      if (token.type === 'leftDelimiter' && this.#startsDefinition()) {
        this.#definition()
        continue
      }
      const node = this.#textOrAction(0)
      if (node.kind === 'end' || node.kind === 'else') this.fail(`unexpected {{${node.kind}}}`)
      root.push(node)
    }
    this.#add(this.#name, root)
    return this.#templates
  }

  #startsDefinition(): boolean {
    const delimiter = this.next()
    const token = this.nextNonSpace()
    if (token.type === 'keyword' && token.text === 'define') return true
    this.putBack(delimiter, token)
    return false
  }

  #definition(): void {
    const name = this.#templateName(this.nextNonSpace(), 'define clause')
    this.expect('rightDelimiter', 'define clause')
    this.#add(name, this.#separateBlock('define clause'))
  }

  /** The body of a template of its own: it sees no variables but its argument. */
  #separateBlock(context: string): Block {
    const ranges = this.#ranges
    this.#ranges = 0
    const body = this.withoutVariables(() => this.#block(1))
    this.#ranges = ranges
    if (body.end.kind !== 'end') this.fail(`unexpected {{else}} in ${context}`)
    return body.nodes
  }

  /** An empty definition yields to any other of the same name. */
  #add(name: string, block: Block): void {
    const known = this.#templates.get(name)
    if (known === undefined || isEmpty(known)) this.#templates.set(name, block)
    else if (!isEmpty(block)) this.fail(`multiple definition of template ${JSON.stringify(name)}`)
  }

  /** Nodes up to an end or else. */
  #block(depth: number): { readonly nodes: Block; readonly end: End } {
    if (depth > this.#maxDepth) throw new TemplateLimitError(`the template nests blocks deeper than ${this.#maxDepth} levels`)
    const nodes: Node[] = []
    while (this.peekNonSpace().type !== 'eof') {
      const node = this.#textOrAction(depth)
      if (node.kind === 'end' || node.kind === 'else') return { nodes, end: node }
      nodes.push(node)
    }
    this.fail('unexpected EOF')
  }

  #textOrAction(depth: number): Node | End {
    const token = this.nextNonSpace()
    if (token.type === 'text') return { kind: 'text', text: token.text }
    if (token.type !== 'leftDelimiter') this.unexpected(token, 'input')
    return this.inAction(token, () => this.#action(depth))
  }

  #action(depth: number): Node | End {
    const token = this.nextNonSpace()
    if (token.type !== 'keyword') {
      this.putBack(token)
      return { kind: 'action', pipe: this.pipe('command', 'rightDelimiter') }
    }
    switch (token.text) {
      case 'if':
      case 'with':
        return this.#branch(token.text, depth)
      case 'range':
        return this.#range(depth)
      case 'template':
        return this.#template()
      case 'block':
        return this.#blockClause()
      case 'else':
        return this.#else()
      case 'end':
        this.expect('rightDelimiter', 'end')
        return { kind: 'end' }
      case 'break':
      case 'continue':
        return this.#jump(token.text)
      default:
        return this.unexpected(token, 'command')
    }
  }

  #jump(kind: 'break' | 'continue'): Node {
    const token = this.nextNonSpace()
    if (token.type !== 'rightDelimiter') this.unexpected(token, `{{${kind}}}`)
    if (this.#ranges === 0) this.fail(`{{${kind}}} outside {{range}}`)
    return { kind }
  }

  #branch(kind: 'if' | 'with', depth: number): Node {
    return this.scoped(() => {
      const pipe = this.pipe(kind, 'rightDelimiter')
      const { nodes: body, end } = this.#block(depth + 1)
      return { kind, pipe, body, otherwise: this.#otherwise(end, kind, depth) }
    })
  }

  #range(depth: number): Node {
    return this.scoped(() => {
      const pipe = this.pipe('range', 'rightDelimiter')
      this.#ranges++
      const { nodes: body, end } = this.#block(depth + 1)
      this.#ranges--
      return { kind: 'range', pipe, body, otherwise: this.#otherwise(end, 'range', depth) }
    })
  }

  #otherwise(end: End, kind: 'if' | 'with' | 'range', depth: number): Block | undefined {
    if (end.kind === 'end') return undefined
    // `else if` ends with the `end` of the whole
    if (end.next === kind && (kind === 'if' || kind === 'with')) {
      this.next()
      // a long chain nests deeply in the tree, but not for its reader
      if (depth + 1 > this.#maxDepth) throw new TemplateLimitError(`the template chains more than ${this.#maxDepth} conditions`)
      return [this.#branch(kind, depth + 1)]
    }
    const { nodes, end: last } = this.#block(depth + 1)
    if (last.kind !== 'end') this.fail('expected end; found {{else}}')
    return nodes
  }

  #else(): End {
    const token = this.peekNonSpace()
    if (token.type === 'keyword' && (token.text === 'if' || token.text === 'with')) return { kind: 'else', next: token.text }
    this.expect('rightDelimiter', 'else')
    return { kind: 'else', next: undefined }
  }

  #template(): Node {
    const token = this.nextNonSpace()
    const name = this.#templateName(token, 'template clause')
    const after = this.nextNonSpace()
    if (after.type === 'rightDelimiter') return { kind: 'template', position: token.position, name, pipe: undefined }
    this.putBack(after)
    return { kind: 'template', position: token.position, name, pipe: this.pipe('template clause', 'rightDelimiter') }
  }

  #blockClause(): Node {
    const token = this.nextNonSpace()
    const name = this.#templateName(token, 'block clause')
    const pipe = this.pipe('block clause', 'rightDelimiter')
    this.#add(name, this.#separateBlock('block clause'))
    return { kind: 'template', position: token.position, name, pipe }
  }

  #templateName(token: Token, context: string): string {
    return token.type === 'string' || token.type === 'rawString' ? this.text(token) : this.unexpected(token, context)
  }
}

function isEmpty(block: Block): boolean {
  return block.every((node) => node.kind === 'text' && /^[\s\u0085]*$/.test(node.text))
}
