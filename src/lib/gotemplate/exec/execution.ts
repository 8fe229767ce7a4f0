// Walks the tree of a template and writes its text. Expressions are in evaluator.ts.
import { TemplateLimitError } from '../errors.ts'
import { print } from '../format/print.ts'
import type { Block, BranchNode, Node, RangeNode, TemplateNode } from '../parse/nodes.ts'
import { sortedKeys } from '../values/convert.ts'
import { isTrue } from '../values/truth.ts'
import { GoComplex, GoList, GoMap, integerOf, typeName, type Value } from '../values/value.ts'
import { Evaluator, type Variable } from './evaluator.ts'

/** How a block ended: at its end, or by a jump of the loop around it. */
type Ending = 'break' | 'continue' | undefined

/** One rendering. */
export class Execution extends Evaluator {
  #output = ''

  /** The text of a template for some data. Throws `TemplateExecError` and `TemplateLimitError`. */
  render(block: Block, data: Value): string {
    this.variables = [{ name: '$', value: data }]
    this.#walk(data, block)
    return this.#output
  }

  #write(text: string): void {
    this.#output += text
    this.run.meter.output(this.#output.length)
  }

  #walk(dot: Value, block: Block): Ending {
    this.enter()
    let ending: Ending
    for (const node of block) {
      this.run.meter.step()
      ending = this.#node(dot, node)
      if (ending) break
    }
    this.leave()
    return ending
  }

  #node(dot: Value, node: Node): Ending {
    switch (node.kind) {
      case 'text':
        this.#write(node.text)
        return undefined
      case 'action': {
        const value = this.pipe(dot, node.pipe)
        if (node.pipe.variables.length === 0) this.#print(value)
        return undefined
      }
      case 'if':
      case 'with':
        return this.#branch(dot, node)
      case 'range':
        return this.#range(dot, node)
      case 'template':
        this.#template(dot, node)
        return undefined
      default:
        return node.kind
    }
  }

  #print(value: Value): void {
    this.#write(value === undefined ? '<no value>' : print(value, this.run.meter))
  }

  #branch(dot: Value, { kind, pipe, body, otherwise }: BranchNode): Ending {
    const mark = this.variables.length
    const value = this.pipe(dot, pipe)
    let ending: Ending
    if (isTrue(value)) ending = this.#walk(kind === 'with' ? value : dot, body)
    else if (otherwise) ending = this.#walk(dot, otherwise)
    this.variables.length = mark
    return ending
  }

  #range(dot: Value, node: RangeNode): Ending {
    const mark = this.variables.length
    const value = this.pipe(dot, node.pipe)
    const ran = this.#iterate(node, value)
    const ending = ran || !node.otherwise ? undefined : this.#walk(dot, node.otherwise)
    this.variables.length = mark
    return ending
  }

  /** Runs the body for each element; false if there is none. */
  #iterate(node: RangeNode, value: Value): boolean {
    if (value === undefined || value === null) return false
    if (value instanceof GoList) return this.#overList(node, value)
    if (value instanceof GoMap) return this.#overMap(node, value)
    const count = integerOf(value)
    if (count === undefined || value instanceof GoComplex) return this.fail(`range can't iterate over a value of type ${typeName(value)}`)
    if (node.pipe.variables.length > 1) this.fail(`can't use ${count} to iterate over more than one variable`)
    for (let index = 0n; index < count; index++) {
      if (this.#iteration(node, undefined, typeof value === 'bigint' ? index : this.sameType(value, index)) === 'break') break
    }
    return count > 0n
  }

  #overList(node: RangeNode, list: GoList): boolean {
    for (const [index, item] of list.items.entries()) {
      if (this.#iteration(node, BigInt(index), item) === 'break') break
    }
    return list.items.length > 0
  }

  #overMap(node: RangeNode, map: GoMap): boolean {
    const keys = sortedKeys(map)
    this.run.meter.step(keys.length)
    // values are those of the start: what the body sets is not seen
    const values = keys.map((key) => map.entries.get(key))
    for (const [index, key] of keys.entries()) {
      if (this.#iteration(node, key, values[index]) === 'break') break
    }
    return keys.length > 0
  }

  #iteration({ pipe, body }: RangeNode, index: Value, element: Value): Ending {
    this.run.meter.step()
    const { variables, assigns } = pipe
    const [first, second] = variables
    const mark = this.variables.length
    if (assigns && first !== undefined) {
      this.setVariable(first, second === undefined ? element : index)
      if (second !== undefined) this.setVariable(second, element)
    } else if (first !== undefined) {
      this.#declared(1).value = element
      if (second !== undefined) this.#declared(2).value = index
    }
    const ending = this.#walk(element, body)
    this.variables.length = mark
    return ending
  }

  /** The variables of a loop lie on top: the pipe has declared them. */
  #declared(back: number): Variable {
    return this.variables[this.variables.length - back] ?? this.fail('undefined variable')
  }

  #template(dot: Value, node: TemplateNode): void {
    this.at(node.position, () => `template ${JSON.stringify(node.name)}`)
    const block = this.templates.get(node.name)
    if (!block) this.fail(`template ${JSON.stringify(node.name)} not defined`)
    const data = node.pipe ? this.pipe(dot, node.pipe) : undefined
    const { variables, templateName } = this
    this.variables = [{ name: '$', value: data }]
    this.templateName = node.name
    this.#walk(data, block)
    this.variables = variables
    this.templateName = templateName
  }
}

/** Runs a rendering; a stack that is too small for a deep value counts as a limit. */
export function guarded<T>(step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof RangeError) throw new TemplateLimitError('the template is too deep or too large', { cause: error })
    throw error
  }
}
