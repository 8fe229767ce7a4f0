// The tree of a template. Positions are indexes of characters in its text.
import type { NumberConstant } from './number.ts'

/** A piece of a template. */
export type Node = TextNode | ActionNode | BranchNode | RangeNode | TemplateNode | JumpNode

/** What stands between two tags, or in a whole template. */
export type Block = readonly Node[]

/** Text that is written as it is. */
export interface TextNode {
  readonly kind: 'text'
  readonly text: string
}

/** An expression of which the value is written, unless it sets variables. */
export interface ActionNode {
  readonly kind: 'action'
  readonly pipe: Pipe
}

/** `if` and `with`. */
export interface BranchNode {
  readonly kind: 'if' | 'with'
  readonly pipe: Pipe
  readonly body: Block
  readonly otherwise: Block | undefined
}

/** A loop; `otherwise` runs when there is nothing to loop over. */
export interface RangeNode {
  readonly kind: 'range'
  readonly pipe: Pipe
  readonly body: Block
  readonly otherwise: Block | undefined
}

/** A call of another template. */
export interface TemplateNode {
  readonly kind: 'template'
  readonly position: number
  readonly name: string
  readonly pipe: Pipe | undefined
}

/** The end of a loop, or of one round of it. */
export interface JumpNode {
  readonly kind: 'break' | 'continue'
}

/** Commands of which each gets the result of the one before as its last argument. */
export interface Pipe {
  readonly kind: 'pipe'
  readonly position: number
  /** names of variables with their dollar, in the order of the text */
  readonly variables: readonly string[]
  /** the variables exist already */
  readonly assigns: boolean
  readonly commands: readonly Command[]
}

/** A function or value with its arguments. */
export interface Command {
  readonly kind: 'command'
  readonly position: number
  readonly words: readonly [Operand, ...Operand[]]
}

/** A word of a command. */
export type Operand =
  | Pipe
  | { readonly kind: 'function'; readonly position: number; readonly name: string }
  | { readonly kind: 'dot' | 'nil'; readonly position: number }
  | { readonly kind: 'field'; readonly position: number; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly position: number; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: 'chain'; readonly position: number; readonly target: Operand; readonly names: readonly string[] }
  | { readonly kind: 'boolean'; readonly position: number; readonly value: boolean }
  | { readonly kind: 'number'; readonly position: number; readonly text: string; readonly constant: NumberConstant }
  | { readonly kind: 'string'; readonly position: number; readonly quoted: string; readonly value: string }

/** A node as it is written in error messages. */
export function sourceOf(node: Operand | Command): string {
  switch (node.kind) {
    case 'pipe':
      return pipeSource(node)
    case 'command':
      return node.words.map(wordSource).join(' ')
    case 'function':
      return node.name
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'field':
      return node.names.map((name) => `.${name}`).join('')
    case 'variable':
      return [node.name, ...node.names].join('.')
    case 'chain':
      return [wordSource(node.target), ...node.names].join('.')
    case 'boolean':
      return String(node.value)
    case 'number':
      return node.text
    case 'string':
      return node.quoted
  }
}

function wordSource(node: Operand): string {
  return node.kind === 'pipe' ? `(${pipeSource(node)})` : sourceOf(node)
}

function pipeSource({ variables, assigns, commands }: Pipe): string {
  const declarations = variables.length > 0 ? `${variables.join(', ')} ${assigns ? '=' : ':='} ` : ''
  return declarations + commands.map(sourceOf).join(' | ')
}
