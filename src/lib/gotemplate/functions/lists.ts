// Lists. Functions that change a list give a new one.

import { compareUtf8 } from '../../json/utf8.ts'
import { fail } from '../errors.ts'
import { deepEqual } from '../values/equal.ts'
import { isTrue } from '../values/truth.ts'
import { type GoFunction, GoList, kindName, type Run, type Value } from '../values/value.ts'
import { integerFrom, textOf, textsOf } from './convert.ts'
import { define, defineWith, type FunctionTable } from './define.ts'

const MAX_INT = 2n ** 63n - 1n

const list = define(['...any'], (...items) => new GoList(items))
const push = define(['any', 'any'], (value, item) => new GoList([...itemsOf(value, 'push on'), item]))
const prepend = define(['any', 'any'], (value, item) => new GoList([item, ...itemsOf(value, 'prepend on')]))
const first = define(['any'], (value) => itemsOf(value, 'find first on')[0] ?? null)
const last = define(['any'], (value) => itemsOf(value, 'find last on').at(-1) ?? null)
const rest = define(['any'], (value) => withoutOne(itemsOf(value, 'find rest on'), 1))
const initial = define(['any'], (value) => withoutOne(itemsOf(value, 'find initial on'), 0, -1))
const reverse = define(['any'], (value) => new GoList(itemsOf(value, 'find reverse on').toReversed()))
const uniq = defineWith(['any'], (run, value) => unique(itemsOf(value, 'find uniq on'), run))
const without = defineWith(['any', '...any'], (run, value, ...omitted) => {
  return new GoList(itemsOf(value, 'find without on').filter((item) => !includes(omitted, item, run)))
})
const has = defineWith(['any', 'any'], (run, item, value) => value !== null && includes(itemsOf(value, 'find has on'), item, run))
const compact = define(['any'], (value) => new GoList(itemsOf(value, 'compact on').filter(isTrue)))
const slice = define(['any', '...any'], slices)
const chunk = defineWith(['int', 'any'], (run, size, value) => chunks(Number(size), itemsOf(value, 'chunk'), run))

/** A function that may fail, with the name it has for those who want it to. */
function both(name: string, called: GoFunction): FunctionTable {
  return { [name]: called, [`must${name.charAt(0).toUpperCase()}${name.slice(1)}`]: called }
}

/** Functions of lists. */
export const LISTS: FunctionTable = {
  list,
  tuple: list,
  ...both('append', push),
  ...both('push', push),
  ...both('prepend', prepend),
  ...both('first', first),
  ...both('last', last),
  ...both('rest', rest),
  ...both('initial', initial),
  ...both('reverse', reverse),
  ...both('uniq', uniq),
  ...both('without', without),
  ...both('has', has),
  ...both('compact', compact),
  ...both('slice', slice),
  ...both('chunk', chunk),
  concat: define(['...any'], concatenated),
  sortAlpha: defineWith(['any'], sorted),
  until: defineWith(['int'], (run, count) => new GoList(steps(0n, count, count < 0n ? -1n : 1n, run), '[]int')),
  untilStep: defineWith(['int', 'int', 'int'], (run, start, stop, step) => new GoList(steps(start, stop, step, run), '[]int')),
  seq: defineWith(['...int'], sequence),
}

function itemsOf(value: Value, purpose: string): readonly Value[] {
  if (value instanceof GoList) return value.items
  return fail(value === null ? `cannot ${purpose} nil` : `Cannot ${purpose} type ${kindName(value)}`)
}

function withoutOne(items: readonly Value[], start: number, end?: number): GoList {
  return items.length === 0 ? new GoList([], undefined, true) : new GoList(items.slice(start, end))
}

function includes(items: readonly Value[], wanted: Value, { meter }: Run): boolean {
  return items.some((item) => deepEqual(item, wanted, meter))
}

function unique(items: readonly Value[], run: Run): GoList {
  const found: Value[] = []
  for (const item of items) if (!includes(found, item, run)) found.push(item)
  return new GoList(found)
}

function slices(value: Value, ...bounds: readonly Value[]): Value {
  if (!(value instanceof GoList)) fail(`list should be type of slice or array but ${kindName(value)}`)
  const { items } = value
  if (items.length === 0) return null
  const start = Number(bounds.length > 0 ? integerFrom(bounds[0]) : 0n)
  const end = Number(bounds.length > 1 ? integerFrom(bounds[1]) : items.length)
  if (start < 0 || end < start || end > items.length) fail('slice index out of bounds')
  return new GoList(items.slice(start, end), value.type)
}

function chunks(size: number, items: readonly Value[], { meter }: Run): GoList {
  if (size <= 0) fail('the size of chunks must be positive')
  const count = Math.ceil(items.length / size)
  meter.step(count)
  const parts = Array.from({ length: count }, (_, index) => new GoList(items.slice(index * size, (index + 1) * size)))
  return new GoList(parts, '[][]interface {}')
}

function concatenated(...lists: readonly Value[]): GoList {
  const items = lists.flatMap((value) => (value instanceof GoList ? value.items : fail(`Cannot concat type ${kindName(value)} as list`)))
  return new GoList(items, undefined, items.length === 0)
}

function sorted({ meter }: Run, value: Value): Value {
  if (!(value instanceof GoList)) return new GoList([textOf(value, meter)], '[]string')
  meter.step(value.items.length)
  // sprig sorts a list of texts in place
  if (value.type === '[]string') {
    value.items.sort((left, right) => compareUtf8(String(left), String(right)))
    return value
  }
  return new GoList(textsOf(value, meter).sort(compareUtf8), '[]string')
}

function steps(start: bigint, stop: bigint, step: bigint, { meter }: Run): bigint[] {
  if (step === 0n || (stop < start ? step > 0n : step < 0n)) return []
  const numbers: bigint[] = []
  for (let number = start; step > 0n ? number < stop : number > stop; number += step) {
    meter.step()
    numbers.push(number)
    if (number > MAX_INT || number < -MAX_INT) break
  }
  return numbers
}

function sequence(run: Run, ...bounds: readonly bigint[]): string {
  const [one = 0n, two = 0n, three = 0n] = bounds
  if (bounds.length === 0 || bounds.length > 3) return ''
  const [start, end] = bounds.length === 1 ? [1n, one] : [one, bounds.length === 3 ? three : two]
  const direction = end < start ? -1n : 1n
  const step = bounds.length === 3 ? two : direction
  if (bounds.length === 3 && end < start && step > 0n) return ''
  return steps(start, end + direction, step, run).join(' ')
}
