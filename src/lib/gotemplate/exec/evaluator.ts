// Expressions: pipelines, commands, fields and calls, by the rules of Go's text/template.
import { FunctionError, shortened, TemplateExecError, TemplateLimitError } from '../errors.ts'
import { type Command, type Operand, type Pipe, sourceOf } from '../parse/nodes.ts'
import type { Templates } from '../parse/parser.ts'
import { placeAt } from '../parse/place.ts'
import { isTrue } from '../values/truth.ts'
import { type GoFunction, GoInt, GoList, GoMap, GoObject, type Run, typeName, type Value } from '../values/value.ts'
import { assign, constantFor, idealConstant, nilFor, takesAnything } from './types.ts'

/** A variable of the template; `name` has its dollar. */
export interface Variable {
  readonly name: string
  value: Value
}

/** What a rendering needs to know of its template. */
export interface Program {
  readonly name: string
  readonly text: string
  readonly templates: Templates
  readonly functions: ReadonlyMap<string, GoFunction>
  readonly missingKey: 'error' | 'default'
}

const MAX_ARGUMENTS = 10_000

/** Stands for the result of the command before, where there is none. */
const ABSENT = Symbol('absent')
type Final = Value | typeof ABSENT

/** Evaluates expressions in one rendering. Throws `TemplateExecError` and `TemplateLimitError`. */
export class Evaluator {
  protected readonly run: Run
  protected variables: Variable[] = []
  protected templateName: string
  readonly #program: Program
  #level = 0
  #position = 0
  #source: () => string = () => ''

  constructor(program: Program, run: Run) {
    this.#program = program
    this.run = run
    this.templateName = program.name
  }

  protected get templates(): Templates {
    return this.#program.templates
  }

  protected enter(): void {
    this.run.meter.deep(++this.#level)
  }

  protected leave(): void {
    this.#level--
  }

  /** Marks what is worked on, for error messages. */
  protected at(position: number, source: () => string): void {
    this.#position = position
    this.#source = source
  }

  #at(node: Operand | Command): void {
    this.#position = node.position
    this.#source = () => sourceOf(node)
  }

  protected fail(message: string, cause?: unknown): never {
    const place = placeAt(this.#program.text, this.#position)
    const where = `template: ${this.#program.name}:${place.line}:${place.column}`
    const what = `executing ${JSON.stringify(this.templateName)} at <${shortened(this.#source())}>`
    throw new TemplateExecError(`${where}: ${what}: ${shortened(message, 300)}`, place, cause === undefined ? undefined : { cause })
  }

  protected setVariable(name: string, value: Value): void {
    this.run.meter.read(this.variables.length)
    const variable = this.variables.findLast((candidate) => candidate.name === name)
    if (!variable) this.fail(`undefined variable: ${name}`)
    variable.value = value
  }

  /** Another integer of the type of a value. */
  protected sameType(value: Value, integer: bigint): Value {
    return value instanceof GoInt ? new GoInt(value.type, integer, value.details) : integer
  }

  /** The value of a pipeline; its variables are declared or set. */
  protected pipe(dot: Value, pipe: Pipe): Value {
    this.enter()
    let final: Final = ABSENT
    for (const command of pipe.commands) {
      this.#at(pipe)
      final = this.#command(dot, command, final) ?? undefined
    }
    const value = final === ABSENT ? undefined : final
    for (const name of pipe.variables) {
      if (pipe.assigns) this.setVariable(name, value)
      else this.variables.push({ name, value })
    }
    this.leave()
    return value
  }

  #command(dot: Value, command: Command, final: Final): Value {
    this.run.meter.step()
    const [first] = command.words
    switch (first.kind) {
      case 'function':
        return this.#function(dot, first, command, command.words, final)
      case 'field':
        this.#at(first)
        return this.#fields(dot, dot, first, first.names, command.words, final)
      case 'chain':
        return this.#chain(dot, first, command.words, final)
      case 'variable':
        return this.#variable(dot, first, command.words, final)
      default:
        if (first.kind !== 'pipe') this.#at(first)
        if (command.words.length > 1 || final !== ABSENT) this.fail(`can't give argument to non-function ${sourceOf(first)}`)
        return this.#simple(dot, first)
    }
  }

  #simple(dot: Value, node: Operand): Value {
    switch (node.kind) {
      case 'pipe':
        return this.pipe(dot, node)
      case 'boolean':
      case 'string':
        return node.value
      case 'number':
        return idealConstant(node.constant, node.text) ?? this.fail(`${node.text} overflows int`)
      case 'dot':
        return dot
      default:
        return this.fail('nil is not a command')
    }
  }

  #function(dot: Value, node: Operand & { kind: 'function' }, place: Operand | Command, words: readonly Operand[], final: Final): Value {
    this.#at(node)
    const { name } = node
    const called = this.#program.functions.get(name)
    if (!called) this.fail(`${JSON.stringify(name)} is not a defined function`)
    return this.#call(dot, called, name, place, words, final)
  }

  #chain(dot: Value, node: Operand & { kind: 'chain' }, words: readonly Operand[], final: Final): Value {
    this.#at(node)
    const { target, names } = node
    if (target.kind === 'nil') this.fail(`indirection through explicit nil in ${sourceOf(node)}`)
    const receiver = target.kind === 'function' ? this.#function(dot, target, target, [], ABSENT) : this.#simple(dot, target)
    return this.#fields(dot, receiver, node, names, words, final)
  }

  #variable(dot: Value, node: Operand & { kind: 'variable' }, words: readonly Operand[], final: Final): Value {
    this.#at(node)
    this.run.meter.read(this.variables.length)
    const variable = this.variables.findLast((candidate) => candidate.name === node.name)
    if (!variable) this.fail(`undefined variable: ${node.name}`)
    if (node.names.length > 0) return this.#fields(dot, variable.value, node, node.names, words, final)
    if (words.length > 1 || final !== ABSENT) this.fail(`can't give argument to non-function ${sourceOf(node)}`)
    return variable.value
  }

  /** Follows a chain of fields; only the last may be called with arguments. */
  #fields(dot: Value, start: Value, node: Operand, names: readonly string[], words: readonly Operand[], final: Final): Value {
    let receiver = start
    const last = names.length - 1
    for (const [index, name] of names.entries()) {
      receiver = this.#field(dot, receiver, name, node, index === last ? words : [], index === last ? final : ABSENT, index > 0)
    }
    return receiver
  }

  #field(dot: Value, receiver: Value, name: string, node: Operand, words: readonly Operand[], final: Final, nested: boolean): Value {
    this.run.meter.step()
    if (receiver === undefined) {
      if (this.#program.missingKey === 'error') this.fail(`nil data; no entry for key ${JSON.stringify(name)}`)
      return undefined
    }
    if (receiver === null) this.fail(`nil pointer evaluating interface {}.${name}`)
    const method = receiver instanceof GoObject ? receiver.method(name) : undefined
    if (method) return this.#call(dot, method, name, node, words, final)
    const hasArguments = words.length > 1 || final !== ABSENT
    if (receiver instanceof GoMap) {
      if (hasArguments) this.fail(`${name} is not a method but has arguments`)
      return this.#entry(receiver, name)
    }
    const field = receiver instanceof GoObject ? receiver.fields().find(([known]) => known === name) : undefined
    if (!field) this.fail(`can't evaluate field ${name} in type ${nested ? 'interface {}' : typeName(receiver)}`)
    if (!/^\p{Lu}/u.test(name)) this.fail(`${name} is an unexported field of struct type ${typeName(receiver)}`)
    if (hasArguments) this.fail(`${name} has arguments but cannot be invoked as function`)
    return field[1]
  }

  #entry(map: GoMap, name: string): Value {
    if (map.entries.has(name)) return map.entries.get(name)
    return this.#program.missingKey === 'error' ? this.fail(`map has no entry for key ${JSON.stringify(name)}`) : undefined
  }

  #call(dot: Value, called: GoFunction, name: string, place: Operand | Command, words: readonly Operand[], final: Final): Value {
    const { params } = called
    const given = Math.max(words.length - 1, 0)
    const count = given + (final === ABSENT ? 0 : 1)
    const variadic = params.at(-1)?.startsWith('...') ? params.at(-1)?.slice('...'.length) : undefined
    const fixed = variadic === undefined ? params.length : params.length - 1
    if (variadic === undefined && count !== fixed) this.fail(`wrong number of args for ${name}: want ${fixed} got ${count}`)
    if (count < fixed) this.fail(`wrong number of args for ${name}: want at least ${fixed} got ${given}`)
    if (called.stopsAt !== undefined) return this.#shortCircuit(dot, called.stopsAt, words, final)
    if (count > MAX_ARGUMENTS) throw new TemplateLimitError(`a function is called with more than ${MAX_ARGUMENTS} arguments`)
    const args: Value[] = []
    for (let index = 0; index < given; index++) {
      const word = words[index + 1]
      if (word) args.push(this.#argument(dot, this.#parameter(params, index, fixed, variadic), word))
    }
    if (final !== ABSENT) args.push(this.#assigned(final, this.#parameter(params, given, fixed, variadic)))
    this.#charge(args)
    try {
      const result = called.call(args, this.run)
      this.#count(result)
      return result
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error
      this.#at(place)
      return this.fail(`error calling ${name}: ${error.message}`, error)
    }
  }

  #parameter(params: readonly string[], index: number, fixed: number, variadic: string | undefined): string {
    return (index < fixed ? params[index] : variadic) ?? 'interface {}'
  }

  /** `and` and `or` look at no more arguments than they need. */
  #shortCircuit(dot: Value, stopsAt: boolean, words: readonly Operand[], final: Final): Value {
    let value: Value
    for (const word of words.slice(1)) {
      value = this.#argument(dot, 'reflect.Value', word)
      if (isTrue(value) === stopsAt) return value
    }
    return final === ABSENT ? value : final
  }

  /** Work on long texts and lists costs more than a step. */
  #charge(args: readonly Value[]): void {
    let size = 0
    for (const arg of args) {
      if (typeof arg === 'string') size += arg.length
      else if (arg instanceof GoList) size += arg.items.length
      else if (arg instanceof GoMap) size += arg.entries.size
    }
    this.run.meter.read(size)
  }

  #count(result: Value): void {
    if (typeof result === 'string') this.run.meter.create(result.length)
    else if (result instanceof GoList) this.run.meter.create(result.items.length * ELEMENT_SIZE)
  }

  #argument(dot: Value, type: string, node: Operand): Value {
    this.#at(node)
    this.run.meter.step()
    switch (node.kind) {
      case 'dot':
        return this.#assigned(dot, type)
      case 'nil': {
        const nil = nilFor(type)
        return nil === undefined ? this.fail(`cannot assign nil to ${type}`) : nil
      }
      case 'field':
        return this.#assigned(this.#fields(dot, dot, node, node.names, [], ABSENT), type)
      case 'variable':
        return this.#assigned(this.#variable(dot, node, [], ABSENT), type)
      case 'pipe':
        return this.#assigned(this.pipe(dot, node), type)
      case 'function':
        return this.#assigned(this.#function(dot, node, node, [], ABSENT), type)
      case 'chain':
        return this.#assigned(this.#chain(dot, node, [], ABSENT), type)
      default:
        return takesAnything(type) ? this.#simple(dot, node) : this.#constant(type, node)
    }
  }

  #assigned(value: Value, type: string): Value {
    const assigned = assign(value, type)
    return 'problem' in assigned ? this.fail(assigned.problem) : assigned.value
  }

  /** A constant for a parameter that has a type. */
  #constant(type: string, node: Operand): Value {
    if (type === 'bool' && node.kind === 'boolean') return node.value
    if (type === 'string' && node.kind === 'string') return node.value
    const value = node.kind === 'number' ? constantFor(node.constant, type) : undefined
    return (
      value ??
      this.fail(
        EXPECTED[type] ? `expected ${EXPECTED[type]}; found ${sourceOf(node)}` : `can't handle ${sourceOf(node)} for arg of type ${type}`,
      )
    )
  }
}

/** What an element of a list counts for, in characters. */
const ELEMENT_SIZE = 8

const EXPECTED: Readonly<Record<string, string>> = {
  bool: 'bool',
  string: 'string',
  int: 'integer',
  'time.Duration': 'integer',
  uint32: 'unsigned integer',
  float64: 'float',
}
