// Setters: comments that say which value belongs in front of them or right below, as in `image: app:1.0 # {"$imagescan": "app"}`. Only the bytes of such values change.
import { TerminalError } from '../lib/controller/errors.ts'
import { formOf } from '../lib/yaml/scalar-style.ts'
import { type FoundSetter, findSetters, SETTER_MARK } from './comments.ts'
import { type PlacedScalar, placedScalars } from './scalars.ts'

/** One value that was set. */
export interface Setting {
  /** of the value, from 1 */
  readonly line: number
  /** `<tagName>`, or with `:tag`, `:name` or `:digest` behind it */
  readonly setter: string
  readonly from: string
  readonly to: string
}

/**
 * The text with all values that a setter names brought to `values`; setters with other names belong to somebody else. Quotes, comments and all else stay,
 * but for a plain value that would no longer be read as text: it gets quotes.
 * Throws YamlError for what is no YAML, TerminalError (with the line) for a setter that has no value it could set.
 */
export function applySetters(text: string, values: ReadonlyMap<string, string>): { text: string; settings: Setting[] } {
  if (!text.includes(SETTER_MARK)) return { text, settings: [] }
  const targets = targetsOf(findSetters(text, placedScalars(text), values), text)
  const pieces: string[] = []
  const settings: Setting[] = []
  let done = 0
  for (const { setter, scalar, line } of targets) {
    const to = values.get(setter)
    if (to === undefined || scalar.value === to) continue
    pieces.push(text.slice(done, scalar.start), written(scalar, to))
    done = scalar.end
    settings.push({ line, setter, from: scalar.value, to })
  }
  return { text: pieces.join('') + text.slice(done), settings }
}

interface Target {
  readonly setter: string
  readonly scalar: PlacedScalar
  readonly line: number
}

/** Values and what is to be there, in the order of the text. */
function targetsOf(setters: readonly FoundSetter[], text: string): Target[] {
  const targets = new Map<PlacedScalar, Target>()
  for (const { name, line, place, scalar } of setters) {
    if (!scalar) throw lost(name, line, place)
    const isLong = scalar.style === 'block' || text.slice(scalar.start, scalar.end).includes('\n')
    if (isLong) throw new TerminalError(`line ${line}: the value of setter ${JSON.stringify(name)} has several lines: write it on one`)
    const other = targets.get(scalar)?.setter ?? name
    if (other !== name)
      throw new TerminalError(
        `line ${line}: the setters ${JSON.stringify(other)} and ${JSON.stringify(name)} are about the same value: keep one of them`,
      )
    targets.set(scalar, { setter: name, scalar, line: valueLine(line, place, scalar, text) })
  }
  return [...targets.values()].sort((a, b) => a.scalar.start - b.scalar.start)
}

function lost(name: string, line: number, place: FoundSetter['place']): TerminalError {
  const what =
    place === 'above'
      ? 'has no value on the line below it: move it right above `key: value` or `- value`, or behind the value'
      : 'has no value before it on its line: write one'
  return new TerminalError(`line ${line}: the setter ${JSON.stringify(name)} ${what}`)
}

function valueLine(line: number, place: FoundSetter['place'], { start }: PlacedScalar, text: string): number {
  return place === 'behind' ? line : text.slice(0, start).split('\n').length
}

function written({ style }: PlacedScalar, to: string): string {
  if (style === 'single') return to.replaceAll("'", "''")
  if (style === 'double') return JSON.stringify(to).slice(1, -1)
  return formOf(to, [...to], true).style === 'plain' ? to : JSON.stringify(to)
}
