// One field of a cron expression: numbers and names, ranges, steps, and lists of these.

/** What may stand in a field. The first of the names means `min`. */
export interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
}

/** The values that a field (upper case) stands for, sorted; undefined for `*` and `?`, which stand for all of them. Throws on anything else. */
export function parseField(text: string, field: Field): number[] | undefined {
  if (text === '*' || text === '?') return undefined
  const values = new Set(text.split(',').flatMap((part) => parsePart(part, field)))
  return [...values].sort((a, b) => a - b)
}

function parsePart(text: string, field: Field): number[] {
  const [range = '', step, ...more] = text.split('/')
  if (more.length > 0) throw new Error(`${field.name} ${text} has more than one step`)
  const by = step === undefined ? 1 : parseStep(step, field)
  const [from, to] = parseRange(range, field, step !== undefined)
  const values: number[] = []
  for (let value = from; value <= to; value += by) values.push(value)
  return values
}

/** `*`, and `5` in `5/10`, go to the end of the field. */
function parseRange(text: string, field: Field, hasStep: boolean): readonly [number, number] {
  if (text === '*' && hasStep) return [field.min, field.max]
  const [first = '', last, ...more] = text.split('-')
  if (more.length > 0) throw new Error(`${field.name} ${text} is not a range: write one such as ${field.min}-${field.max}`)
  const from = parseValue(first, field)
  if (last === undefined) return [from, hasStep ? field.max : from]
  const to = parseValue(last, field)
  if (to < from) throw new Error(`${field.name} ${text} runs backwards: write it as two ranges, separated by a comma`)
  return [from, to]
}

function parseValue(text: string, { name, min, max, names }: Field): number {
  const named = names.indexOf(text)
  if (named >= 0) return min + named
  if (text === '') throw new Error(`${name} has an empty part`)
  const known = names.length > 0 ? ` or ${names[0]} to ${names.at(-1)}` : ''
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw new Error(`${name} ${text} is not within ${min} to ${max}${known}`)
  return value
}

function parseStep(text: string, { name, max }: Field): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= 1 && value <= max)) throw new Error(`${name} has a step of ${text || 'nothing'}: write a number from 1 to ${max}`)
  return value
}
