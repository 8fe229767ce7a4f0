// Values as Go's fmt prints them.
import { sortedKeys } from '../values/convert.ts'
import { GoComplex, GoInt, GoList, GoMap, type GoObject, type Run, typeName, type Value } from '../values/value.ts'
import { type Flags, NO_FLAGS, pad } from './flags.ts'
import { formatFloat } from './float.ts'
import { formatBoolean, formatInteger, formatNumber, formatText } from './scalars.ts'

type Meter = Run['meter']

/** A value as `%v` prints it. Lists and maps cost a step an element. */
export function print(value: Value, meter: Meter): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return formatFloat(value, 'g', -1)
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return format(value, 'v', NO_FLAGS, meter)
  }
}

/** A value under a verb. What a type cannot do is told in the text, as Go does: `%!d(string=x)`. */
export function format(value: Value, verb: string, flags: Flags, meter: Meter): string {
  if (flags.width) meter.create(flags.width)
  if (flags.precision) meter.create(flags.precision)
  const nil = value === undefined || value === null
  if (nil && (verb === 'T' || verb === 'v')) return pad('<nil>', flags)
  if (verb === 'T') return formatText(typeName(value), 's', flags) ?? ''
  // %w is for wrapped errors, which templates do not have
  if (nil || verb === 'w') return badVerb(value, verb, flags, meter)
  return formatValue(value, verb, flags, meter, 0)
}

function badVerb(value: Value, verb: string, flags: Flags, meter: Meter): string {
  if (value === undefined || value === null) return `%!${verb}(<nil>)`
  return `%!${verb}(${typeName(value)}=${formatValue(value, 'v', flags, meter, 0, false)})`
}

function formatValue(value: Value, verb: string, flags: Flags, meter: Meter, level: number, methods = true): string {
  return attempt(value, verb, flags, meter, level, methods) ?? badVerb(value, verb, flags, meter)
}

function attempt(value: Value, verb: string, flags: Flags, meter: Meter, level: number, methods: boolean): string | undefined {
  switch (typeof value) {
    case 'string':
      meter.read(value.length)
      return formatText(value, verb, flags)
    case 'number':
      return formatNumber(value, verb, flags)
    case 'bigint':
      return formatInteger(value, true, verb, flags)
    case 'boolean':
      return formatBoolean(value, verb, flags)
    case 'undefined':
      return verb === 'v' ? '<nil>' : undefined
    default:
      return value === null ? nilElement(flags) : formatObject(value, verb, flags, meter, level, methods)
  }
}

function nilElement(flags: Flags): string {
  return flags.sharpV ? 'interface {}(nil)' : '<nil>'
}

function formatObject(
  value: GoInt | GoComplex | GoList | GoMap | GoObject,
  verb: string,
  flags: Flags,
  meter: Meter,
  level: number,
  methods: boolean,
): string | undefined {
  if (value instanceof GoList) return formatList(value, verb, flags, meter, level)
  if (value instanceof GoMap) return formatMap(value, verb, flags, meter, level)
  if (value instanceof GoComplex) return formatComplex(value, verb, flags)
  const text = methods && !flags.sharpV && /^[vsxXq]$/.test(verb) ? ownText(value) : undefined
  if (text !== undefined) return formatText(text, verb, flags)
  if (value instanceof GoInt) return formatInteger(value.value, value.details.signed, verb, flags)
  return formatStruct(value, verb, flags, meter, level)
}

function ownText(value: GoInt | GoObject): string | undefined {
  return value instanceof GoInt ? value.details.text?.(value.value) : value.text()
}

function formatComplex({ real, imaginary }: GoComplex, verb: string, flags: Flags): string | undefined {
  const [left, right] = [formatNumber(real, verb, flags), formatNumber(imaginary, verb, { ...flags, plus: true })]
  return left === undefined || right === undefined ? undefined : `(${left}${right}i)`
}

function formatList(list: GoList, verb: string, flags: Flags, meter: Meter, level: number): string {
  meter.deep(level)
  meter.step(list.items.length)
  if (flags.sharpV && list.isNil) return `${list.type}(nil)`
  const items = list.items.map((item) => formatElement(item, verb, flags, meter, level + 1))
  return flags.sharpV ? `${list.type}{${items.join(', ')}}` : `[${items.join(' ')}]`
}

function formatMap(map: GoMap, verb: string, flags: Flags, meter: Meter, level: number): string {
  meter.deep(level)
  meter.step(map.entries.size)
  if (flags.sharpV && map.isNil) return `${map.type}(nil)`
  const entries = sortedKeys(map).map(
    (key) => `${formatValue(key, verb, flags, meter, level + 1)}:${formatElement(map.entries.get(key), verb, flags, meter, level + 1)}`,
  )
  return flags.sharpV ? `${map.type}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`
}

function formatElement(value: Value, verb: string, flags: Flags, meter: Meter, level: number): string {
  const text = formatValue(value, verb, flags, meter, level)
  meter.create(text.length)
  return text
}

function formatStruct(object: GoObject, verb: string, flags: Flags, meter: Meter, level: number): string {
  const fields = object.fields().map(([name, value]) => {
    const text = formatValue(value, verb, flags, meter, level + 1)
    return flags.plusV || flags.sharpV ? `${name}:${text}` : text
  })
  const type = object.type.replace(/^\*/, '')
  return `${object.kind === 'ptr' ? '&' : ''}${flags.sharpV ? `${type}{${fields.join(', ')}}` : `{${fields.join(' ')}}`}`
}

/** Go's Sprint: blanks between neighbours of which neither is a text. */
export function printAll(values: readonly Value[], meter: Meter): string {
  let text = ''
  let before: Value = ''
  for (const [index, value] of values.entries()) {
    if (index > 0 && typeof value !== 'string' && typeof before !== 'string') text += ' '
    const printed = print(value, meter)
    meter.create(printed.length)
    text += printed
    before = value
  }
  return text
}
