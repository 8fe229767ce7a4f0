import { compareUtf8 } from '../../json/utf8.ts'
import { GoList, GoMap, type Run, type Value } from './value.ts'

type Meter = Run['meter']

/**
 * Plain data as a value of templates, copied: all numbers are floats. Counts a step for each value.
 * Throws `TypeError` on what JSON cannot say.
 */
export function toValue(data: unknown, meter: Meter, level = 0): Value {
  switch (typeof data) {
    case 'string':
      return data.isWellFormed() ? data : data.toWellFormed()
    case 'number':
    case 'boolean':
      return data
    case 'bigint':
      return Number(data)
    case 'undefined':
      return null
    case 'object':
      return data === null ? null : toContainer(data, meter, level)
    default:
      throw new TypeError(`a ${typeof data} cannot be data of a template`)
  }
}

function toContainer(data: object, meter: Meter, level: number): Value {
  meter.deep(level)
  if (Array.isArray(data)) {
    meter.step(data.length)
    return new GoList(data.map((item) => toValue(item, meter, level + 1)))
  }
  const entries = new Map<string, Value>()
  for (const [key, entry] of Object.entries(data)) {
    meter.step()
    entries.set(key.isWellFormed() ? key : key.toWellFormed(), toValue(entry, meter, level + 1))
  }
  return new GoMap(entries)
}

/** The keys of a map in the order in which Go prints and ranges over them. */
export function sortedKeys(map: GoMap): string[] {
  return [...map.entries.keys()].sort(compareUtf8)
}
