// Comments that are setters, and which value of a file each of them is about.
import type { PlacedScalar } from './scalars.ts'

/** What every file with setters has in it; others need not be read. */
export const SETTER_MARK = '"$imagescan"'
const SETTER_KEY = '$imagescan'
/** What may stand between a value and the comment behind it. */
const BEHIND = /^(?:[ \t]*,)?[ \t]+#([^\r\n]*)/
const BLOCK_HEADER = /[|>][-+1-9]*[ \t]+#([^\r\n]*)\r?\n$/
/** A line with something before its comment. */
const CODE_AND_COMMENT = /^[ \t]*[^\s#].*[ \t]#([^\r\n]*)$/
const COMMENT_ALONE = /^\ufeff?[ \t]*#([^\r\n]*)$/
/** What may stand between the dash of an item and its text, or before the beginning of a key. */
const ANCHORS_AND_TAGS = '(?:[&!][^\\s,[\\]{}]*[ \\t]+)*'
const ITEM_START = new RegExp(`^\\ufeff?[ \\t]*(?:-[ \\t]+)?${ANCHORS_AND_TAGS}["']?$`)
const KEY_START = new RegExp(`^\\ufeff?[ \\t]*${ANCHORS_AND_TAGS}["']?$`)

/** A setter in a file. */
export interface FoundSetter {
  readonly name: string
  /** from 1 */
  readonly line: number
  /** where it stands, seen from its value */
  readonly place: 'above' | 'behind'
  /** the value that it is about; undefined if there is none */
  readonly scalar?: PlacedScalar
}

/** All setters of a text whose name is one of `names`, in the order of their lines. What only looks like one, inside a text of several lines, is none. */
export function findSetters(text: string, scalars: readonly PlacedScalar[], names: { has(name: string): boolean }): FoundSetter[] {
  const lines = linesOf(text)
  const lineAt = lineFinder(lines)
  const behind = new Map<number, PlacedScalar>()
  const firstOf = new Map<number, PlacedScalar>()
  for (const scalar of scalars) {
    const comment = commentBehind(text, scalar)
    if (comment !== undefined) behind.set(scalar.style === 'block' ? lineAt(scalar.start - 1) : lineAt(scalar.end), scalar)
    const line = lineAt(scalar.key ?? scalar.start)
    if (isBegunBy(text, lines[line]?.start ?? 0, scalar) && lineAt(scalar.style === 'block' ? scalar.start - 1 : scalar.start) === line)
      firstOf.set(line, scalar)
  }
  const isText = insideTexts(scalars, lineAt)
  return lines.flatMap(({ content }, index): FoundSetter[] => {
    if (!content.includes(SETTER_MARK)) return []
    const alone = COMMENT_ALONE.exec(content)
    const scalar = alone ? firstOf.get(nextCode(lines, index)) : behind.get(index)
    if (isText(index) && !(scalar && !alone)) return []
    const name = parseSetter(alone ? alone[1] : scalar ? commentBehind(text, scalar) : CODE_AND_COMMENT.exec(content)?.[1])
    if (name === undefined || !names.has(name)) return []
    return [{ name, line: index + 1, place: alone ? 'above' : 'behind', ...(scalar ? { scalar } : {}) }]
  })
}

interface Line {
  readonly start: number
  /** without its end */
  readonly content: string
}

function linesOf(text: string): Line[] {
  let start = 0
  return text.split('\n').map((content) => {
    const line = { start, content: content.replace(/\r$/, '') }
    start += content.length + 1
    return line
  })
}

/** Gives the index of the line that an offset is in. */
function lineFinder(lines: readonly Line[]): (offset: number) => number {
  return (offset) => {
    let [low, high] = [0, lines.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((lines[middle]?.start ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** What stands behind a value on its line, and behind the header of a block. */
function commentBehind(text: string, { style, start, end }: PlacedScalar): string | undefined {
  if (style === 'block') return BLOCK_HEADER.exec(text.slice(text.lastIndexOf('\n', start - 2) + 1, start))?.[1]
  const after = style === 'plain' ? end : end + 1
  const lineEnd = text.indexOf('\n', after)
  return BEHIND.exec(text.slice(after, lineEnd < 0 ? text.length : lineEnd))?.[1]
}

/** Whether a line begins with the item, or with the key, that the value is. A key behind a dash does not count: the item may have others. */
function isBegunBy(text: string, lineStart: number, { key, start, style }: PlacedScalar): boolean {
  if (key !== undefined) return KEY_START.test(text.slice(lineStart, key))
  const before = text.slice(lineStart, style === 'block' ? text.lastIndexOf('\n', start - 2) + 1 : start)
  return ITEM_START.test(before)
}

/** The line that comments above it are about: the next one, unless there is a gap. -1 if there is none. */
function nextCode(lines: readonly Line[], from: number): number {
  for (let at = from + 1; at < lines.length; at++) {
    const content = lines[at]?.content ?? ''
    if (content.trim() === '') return -1
    if (!COMMENT_ALONE.test(content)) return at
  }
  return -1
}

/** Whether a line begins inside of a value of several lines. */
function insideTexts(scalars: readonly PlacedScalar[], lineAt: (offset: number) => number): (line: number) => boolean {
  const inside = new Set<number>()
  for (const { style, start, end } of scalars) {
    if (end <= start) continue
    const first = style === 'block' ? lineAt(start) : lineAt(start) + 1
    const last = style === 'block' ? lineAt(end - 1) : lineAt(end)
    for (let line = first; line <= last; line++) inside.add(line)
  }
  return (line) => inside.has(line)
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
