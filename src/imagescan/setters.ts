// Setters: comments that say which value belongs in front of them, as in `image: app:1.0 # {"$imagescan": "app"}`. Only the bytes of such values change.
import { TerminalError } from '../lib/controller/errors.ts'
import { formOf } from '../lib/yaml/scalar-style.ts'
import { type PlacedScalar, placedScalars } from './scalars.ts'

/** One value that was set. */
export interface Setting {
  /** from 1 */
  readonly line: number
  /** `<tagName>`, or with `:tag`, `:name` or `:digest` behind it */
  readonly setter: string
  readonly from: string
  readonly to: string
}

/** What every file with setters has in it; others need not be read. */
export const SETTER_MARK = '"$imagescan"'
const SETTER_KEY = '$imagescan'
/** What may stand between a value and its comment. */
const COMMENT = /^(?:[ \t]*,)?[ \t]+#([^\r\n]*)/
const BLOCK_HEADER = /[|>][-+1-9]*[ \t]+#([^\r\n]*)\r?\n$/
/** A line with something before its comment. */
const CODE_AND_COMMENT = /^[ \t]*[^\s#].*[ \t]#([^\r\n]*)$/

/**
 * The text with all values that a setter names brought to `values`; setters with other names belong to somebody else. Quotes, comments and all else stay,
 * but for a plain value that would no longer be read as text: it gets quotes.
 * Throws YamlError for what is no YAML, TerminalError (with the line) for a setter that has no value it could set.
 */
export function applySetters(text: string, values: ReadonlyMap<string, string>): { text: string; settings: Setting[] } {
  if (!text.includes(SETTER_MARK)) return { text, settings: [] }
  const scalars = placedScalars(text)
  const pieces: string[] = []
  const settings: Setting[] = []
  const handled = new Set<number>()
  let done = 0
  for (const scalar of scalars) {
    const setter = setterOf(text, scalar)
    const to = setter === undefined ? undefined : values.get(setter)
    if (setter === undefined || to === undefined) continue
    const line = lineAt(text, scalar.start)
    if (scalar.style === 'block' || text.slice(scalar.start, scalar.end).includes('\n'))
      throw new TerminalError(`line ${line}: the value of setter ${JSON.stringify(setter)} has several lines: write it on one`)
    handled.add(line)
    if (scalar.value === to) continue
    pieces.push(text.slice(done, scalar.start), written(scalar, to))
    done = scalar.end
    settings.push({ line, setter, from: scalar.value, to })
  }
  const lost = lostSetter(text, scalars, handled, values)
  if (lost)
    throw new TerminalError(`line ${lost.line}: the setter ${JSON.stringify(lost.setter)} has no value before it on its line: write one`)
  return { text: pieces.join('') + text.slice(done), settings }
}

function setterOf(text: string, { style, start, end }: PlacedScalar): string | undefined {
  if (style === 'block') return parseSetter(BLOCK_HEADER.exec(text.slice(text.lastIndexOf('\n', start - 2) + 1, start))?.[1])
  const after = style === 'plain' ? end : end + 1
  const lineEnd = text.indexOf('\n', after)
  return parseSetter(COMMENT.exec(text.slice(after, lineEnd < 0 ? text.length : lineEnd))?.[1])
}

/** The whole comment has to be a JSON object with the key. */
function parseSetter(comment: string | undefined): string | undefined {
  if (!comment?.includes(SETTER_MARK)) return undefined
  try {
    const name = (JSON.parse(comment.replace(/^#+/, '')) as Record<string, unknown> | null)?.[SETTER_KEY]
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined // a comment that only mentions it
  }
}

function written({ style }: PlacedScalar, to: string): string {
  if (style === 'single') return to.replaceAll("'", "''")
  if (style === 'double') return JSON.stringify(to).slice(1, -1)
  return formOf(to, [...to], true).style === 'plain' ? to : JSON.stringify(to)
}

/** The first setter of ours that stands behind something else than a value. What only looks like one, inside a text of several lines, is none. */
function lostSetter(
  text: string,
  scalars: readonly PlacedScalar[],
  handled: ReadonlySet<number>,
  values: ReadonlyMap<string, string>,
): { line: number; setter: string } | undefined {
  const blocks = scalars.filter(({ start, end }) => text.slice(start, end).includes('\n'))
  let at = 0
  for (const [index, content] of text.split('\n').entries()) {
    const start = at
    at += content.length + 1
    if (handled.has(index + 1) || !content.includes(SETTER_MARK)) continue
    const setter = parseSetter(CODE_AND_COMMENT.exec(content.replace(/\r$/, ''))?.[1])
    if (setter === undefined || !values.has(setter)) continue
    if (!blocks.some((block) => block.start <= start && start < block.end)) return { line: index + 1, setter }
  }
  return undefined
}

function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
