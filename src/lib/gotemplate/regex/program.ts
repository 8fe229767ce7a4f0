// Compiles the tree of a regular expression for the machine: a list of instructions that refer to each other by index.
import { TemplateLimitError } from '../errors.ts'
import type { Assertion, CharacterTest, RegexNode, RegexTree } from './nodes.ts'

/** More make matching slow; expressions that people write have some dozens. */
const MAX_INSTRUCTIONS = 10_000

/** A step of the machine; `next` and `other` are indexes of instructions. */
export type Instruction =
  | { readonly kind: 'character'; readonly test: CharacterTest; next: number }
  /** goes both ways; the first is preferred */
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'save'; readonly slot: number; next: number }
  | { readonly kind: 'assert'; readonly assertion: Assertion; next: number }
  | { readonly kind: 'match' }

/** A compiled regular expression. */
export interface RegexProgram {
  readonly instructions: readonly Instruction[]
  readonly start: number
  readonly names: readonly (string | undefined)[]
}

/** Compiles a tree. Throws `TemplateLimitError` if the program would be too long. */
export function compileRegex({ root, names }: RegexTree): RegexProgram {
  const builder = new Builder()
  const match = builder.add({ kind: 'match' })
  const end = builder.add({ kind: 'save', slot: 1, next: match })
  const start = builder.add({ kind: 'save', slot: 0, next: builder.node(root, end) })
  return { instructions: builder.instructions, start, names }
}

/** Builds from the end: each part is given the instruction that follows it. */
class Builder {
  readonly instructions: Instruction[] = []

  add(instruction: Instruction): number {
    if (this.instructions.length >= MAX_INSTRUCTIONS) throw new TemplateLimitError('a regular expression is too large')
    return this.instructions.push(instruction) - 1
  }

  node(node: RegexNode, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next
      case 'character':
        return this.add({ kind: 'character', test: node.test, next })
      case 'assertion':
        return this.add({ kind: 'assert', assertion: node.assertion, next })
      case 'group':
        return this.#group(node.index, node.body, next)
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.node(part, after), next)
      case 'choice':
        return this.#choice(node.parts, next)
      case 'repeat':
        return this.#repeat(node, next)
    }
  }

  #group(index: number, body: RegexNode, next: number): number {
    const end = this.add({ kind: 'save', slot: 2 * index + 1, next })
    return this.add({ kind: 'save', slot: 2 * index, next: this.node(body, end) })
  }

  #choice(parts: readonly RegexNode[], next: number): number {
    const starts = parts.map((part) => this.node(part, next))
    return starts.reduceRight((other, start) => this.#split(start, other, true))
  }

  #split(preferred: number, other: number, greedy: boolean): number {
    return this.add(greedy ? { kind: 'split', next: preferred, other } : { kind: 'split', next: other, other: preferred })
  }

  #repeat({ body, min, max, greedy }: RegexNode & { kind: 'repeat' }, next: number): number {
    let after = next
    let copies = min
    if (max !== undefined) for (let count = min; count < max; count++) after = this.#optional(body, after, next, greedy)
    else if (min > 0) {
      // the last copy is the one that loops
      after = this.#plus(body, next, greedy)
      copies--
    } else after = isNullable(body) ? this.#split(this.#plus(body, next, greedy), next, greedy) : this.#star(body, next, greedy)
    for (let count = 0; count < copies; count++) after = this.node(body, after)
    return after
  }

  /** The body once and then what follows, or the end of the whole repetition. */
  #optional(body: RegexNode, after: number, end: number, greedy: boolean): number {
    return this.#split(this.node(body, after), end, greedy)
  }

  #star(body: RegexNode, next: number, greedy: boolean): number {
    const loop = this.#loop(next, greedy)
    this.#close(loop, this.node(body, loop), greedy)
    return loop
  }

  #plus(body: RegexNode, next: number, greedy: boolean): number {
    const loop = this.#loop(next, greedy)
    const start = this.node(body, loop)
    this.#close(loop, start, greedy)
    return start
  }

  #loop(next: number, greedy: boolean): number {
    return this.#split(next, next, greedy)
  }

  #close(loop: number, start: number, greedy: boolean): void {
    const split = this.instructions[loop]
    if (split?.kind !== 'split') return
    if (greedy) split.next = start
    else split.other = start
  }
}

/** True if the node can match the empty text. */
function isNullable(node: RegexNode): boolean {
  switch (node.kind) {
    case 'character':
      return false
    case 'group':
      return isNullable(node.body)
    case 'sequence':
      return node.parts.every(isNullable)
    case 'choice':
      return node.parts.some(isNullable)
    case 'repeat':
      return node.min === 0 || isNullable(node.body)
    default:
      return true
  }
}
