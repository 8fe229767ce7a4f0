// Dicts. `set`, `unset` and the merges change the dict they are given.
import { fail } from '../errors.ts'
import { sortedKeys } from '../values/convert.ts'
import { GoList, GoMap, GoObject, kindName, type Run, type Value } from '../values/value.ts'
import { textOf } from './convert.ts'
import { define, defineWith, type FunctionTable } from './define.ts'
import { mergeInto } from './merge.ts'

const merge = defineWith(['dict', '...dict'], (run, target, ...sources) => merged(run, target, sources, false))
const mergeOverwrite = defineWith(['dict', '...dict'], (run, target, ...sources) => merged(run, target, sources, true))
const deepCopy = defineWith(['any'], (run, value) => (value === null ? fail('nil cannot be copied') : copyOf(value, run, 0)))

/** Functions of dicts. */
export const DICTS: FunctionTable = {
  dict: defineWith(['...any'], (run, ...values) => {
    const entries = new Map<string, Value>()
    for (let index = 0; index < values.length; index += 2) {
      entries.set(textOf(values[index], run.meter), index + 1 < values.length ? values[index + 1] : '')
    }
    return new GoMap(entries)
  }),
  get: define(['dict', 'string'], (dict, key) => (dict.entries.has(key) ? dict.entries.get(key) : '')),
  set: define(['dict', 'string', 'any'], (dict, key, value) => {
    if (dict.isNil) fail('assignment to entry in nil map')
    dict.entries.set(key, value)
    return dict
  }),
  unset: define(['dict', 'string'], (dict, key) => {
    dict.entries.delete(key)
    return dict
  }),
  hasKey: define(['dict', 'string'], (dict, key) => dict.entries.has(key)),
  pluck: define(['string', '...dict'], (key, ...dicts) => {
    return new GoList(dicts.filter((dict) => dict.entries.has(key)).map((dict) => dict.entries.get(key)))
  }),
  keys: define(['...dict'], (...dicts) => new GoList(dicts.flatMap(sortedKeys), '[]string')),
  values: define(['dict'], (dict) => new GoList(sortedKeys(dict).map((key) => dict.entries.get(key)))),
  pick: define(['dict', '...string'], (dict, ...keys) => subset(dict, new Set(keys), true)),
  omit: define(['dict', '...string'], (dict, ...keys) => subset(dict, new Set(keys), false)),
  merge,
  mustMerge: merge,
  mergeOverwrite,
  mustMergeOverwrite: mergeOverwrite,
  deepCopy,
  mustDeepCopy: deepCopy,
  dig: define(['...any'], dig),
}

function subset(dict: GoMap, keys: ReadonlySet<string>, listed: boolean): GoMap {
  return new GoMap(new Map([...dict.entries].filter(([key]) => keys.has(key) === listed)))
}

function merged(run: Run, target: GoMap, sources: readonly GoMap[], overwrite: boolean): GoMap {
  const into = target.isNil && sources.some((source) => !source.isNil) ? new GoMap() : target
  for (const source of sources) mergeInto(into, source, overwrite, run.meter)
  return into
}

function copyOf(value: Value, run: Run, level: number): Value {
  run.meter.step()
  if (!(value instanceof GoList || value instanceof GoMap)) return value
  run.meter.deep(level)
  if (value instanceof GoList) {
    run.meter.create(value.items.length)
    return new GoList(
      value.items.map((item) => copyOf(item, run, level + 1)),
      value.type,
      value.isNil,
    )
  }
  run.meter.create(value.entries.size)
  const entries = [...value.entries].map(([key, entry]) => [key, copyOf(entry, run, level + 1)] as const)
  return new GoMap(new Map(entries), value.type, value.isNil)
}

function dig(...values: readonly Value[]): Value {
  if (values.length < 3) fail('dig needs at least three arguments')
  const [dict, fallback] = [values.at(-1), values.at(-2)]
  const keys = values.slice(0, -2).map((key) => (typeof key === 'string' ? key : fail(`a key is ${described(key)}, not string`)))
  let value: Value = dict
  for (const key of keys) {
    if (!(value instanceof GoMap) || value.type !== 'map[string]interface {}') {
      fail(`interface conversion: interface {} is ${described(value)}, not map[string]interface {}`)
    }
    if (!value.entries.has(key)) return fallback
    value = value.entries.get(key)
  }
  return value
}

function described(value: Value): string {
  if (value === null || value === undefined) return 'nil'
  return value instanceof GoObject || value instanceof GoMap ? value.type : kindName(value)
}
