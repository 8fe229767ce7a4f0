// How functions of templates are written: with the types of their parameters, from which TypeScript knows what they get.
import type { GoFunction, GoInt, GoList, GoMap, GoObject, Run, Value } from '../values/value.ts'

/** Go types of parameters by short name, and what a function gets for them. */
interface Parameters {
  /** interface {}: anything; nil is null */
  any: Exclude<Value, undefined>
  /** reflect.Value: anything, for the functions of text/template itself */
  value: Exclude<Value, undefined>
  bool: boolean
  int: bigint
  uint32: GoInt
  float: number
  string: string
  /** map[string]interface {} */
  dict: GoMap
  /** []interface {} */
  list: GoList
  time: GoObject
  duration: GoInt
  version: GoObject | null
  certificate: GoObject
}

const GO_TYPES: Readonly<Record<keyof Parameters, string>> = {
  any: 'interface {}',
  value: 'reflect.Value',
  bool: 'bool',
  int: 'int',
  uint32: 'uint32',
  float: 'float64',
  string: 'string',
  dict: 'map[string]interface {}',
  list: '[]interface {}',
  time: 'time.Time',
  duration: 'time.Duration',
  version: '*semver.Version',
  certificate: 'sprig.certificate',
}

type Parameter = keyof Parameters | `...${keyof Parameters}`

type Arguments<P extends readonly Parameter[]> = P extends readonly [infer First, ...infer Rest extends readonly Parameter[]]
  ? First extends `...${infer Element extends keyof Parameters}`
    ? Parameters[Element][]
    : First extends keyof Parameters
      ? [Parameters[First], ...Arguments<Rest>]
      : never
  : []

/** Functions by name. */
export type FunctionTable = Readonly<Record<string, GoFunction>>

/** A function of templates: `define(['int', '...string'], (count, ...texts) => …)`. Inside it, `fail` ends it with an error. */
export function define<const P extends readonly Parameter[]>(params: P, call: (...args: Arguments<P>) => Value): GoFunction {
  return {
    params: params.map(goType),
    call: (args) => (call as (...args: readonly Value[]) => Value)(...args),
  }
}

/** The same for a function that needs its surroundings: limits, randomness, time. */
export function defineWith<const P extends readonly Parameter[]>(params: P, call: (run: Run, ...args: Arguments<P>) => Value): GoFunction {
  return {
    params: params.map(goType),
    call: (args, run) => (call as (run: Run, ...args: readonly Value[]) => Value)(run, ...args),
  }
}

function goType(parameter: Parameter): string {
  const variadic = parameter.startsWith('...')
  const name = (variadic ? parameter.slice('...'.length) : parameter) as keyof Parameters
  return `${variadic ? '...' : ''}${GO_TYPES[name]}`
}
