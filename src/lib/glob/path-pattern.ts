// Patterns for paths with the meaning of Go's filepath.Match: `*` and `?` stop at a slash, classes do not, there is no `**` and no `{}`.
import { BadPatternError } from './error.ts'

type Token =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly [number, number][] }

/** What stands between two stars. */
interface Chunk {
  readonly star: boolean
  readonly tokens: Token[]
  /** a mistake in here counts only for texts that match up to here */
  mistake?: BadPatternError
}

/**
 * Whether the whole text matches.
 *
 *     matchPath('*.yaml', 'a.yaml') // true
 *     matchPath('*', 'a/b') // false
 *
 * @throws BadPatternError for a mistake that is not behind a star that fits nowhere
 */
export function matchPath(pattern: string, text: string): boolean {
  return compilePathPattern(pattern)(text)
}

/** Whether a path has characters with a meaning of their own in patterns. */
export function hasMeta(path: string): boolean {
  return /[*?[\\]/.test(path)
}

/** The test of matchPath for many texts. The test throws, compiling does not. */
export function compilePathPattern(pattern: string): (text: string) => boolean {
  const chunks = parse(pattern)
  return (text) => matchChunks(chunks, [...text])
}

/** The leftmost place where a chunk fits is as good as any later one, except for the last chunk, which has to reach the end. */
function matchChunks(chunks: readonly Chunk[], text: readonly string[]): boolean {
  let at = 0
  for (const [index, chunk] of chunks.entries()) {
    const isLast = index === chunks.length - 1
    if (chunk.mistake) throw chunk.mistake
    if (chunk.star && chunk.tokens.length === 0 && isLast) return !text.slice(at).includes('/')
    const end = place(chunk, text, at, isLast)
    if (end === undefined) return false
    at = end
  }
  return at === text.length
}

function place(chunk: Chunk, text: readonly string[], from: number, isLast: boolean): number | undefined {
  for (let start = from; start <= text.length; start++) {
    const end = advance(chunk.tokens, text, start)
    if (end !== undefined && (!isLast || end === text.length)) return end
    if (!chunk.star || text[start] === '/') return undefined
  }
  return undefined
}

function advance(tokens: readonly Token[], text: readonly string[], start: number): number | undefined {
  let at = start
  for (const token of tokens) {
    const char = text[at++]
    if (char === undefined || !accepts(token, char)) return undefined
  }
  return at
}

function accepts(token: Token, char: string): boolean {
  if (token.kind === 'char') return token.char === char
  if (token.kind === 'any') return char !== '/'
  const code = char.codePointAt(0) ?? 0
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated
}

function parse(pattern: string): Chunk[] {
  const chars = [...pattern]
  const chunks: Chunk[] = [{ star: false, tokens: [] }]
  let at = 0
  while (at < chars.length) {
    const last = chunks.at(-1)
    if (chars[at] === '*') {
      if (!last?.star || last.tokens.length > 0) chunks.push({ star: true, tokens: [] })
      at++
      continue
    }
    try {
      at = parseToken(pattern, chars, at, last?.tokens ?? [])
    } catch (error) {
      if (!(error instanceof BadPatternError) || !last) throw error
      last.mistake = error
      return chunks
    }
  }
  return chunks
}

/** Reads one token and returns where to go on. */
function parseToken(pattern: string, chars: readonly string[], at: number, tokens: Token[]): number {
  const char = chars[at] ?? ''
  if (char === '[') return parseClass(pattern, chars, at + 1, tokens)
  if (char === '?') tokens.push({ kind: 'any' })
  else if (char !== '\\') tokens.push({ kind: 'char', char })
  else if (at + 1 === chars.length) throw new BadPatternError(pattern, 'nothing follows the last backslash')
  else tokens.push({ kind: 'char', char: chars[at + 1] ?? '' })
  return char === '\\' ? at + 2 : at + 1
}

/** Reads behind `[` and returns where to go on. */
function parseClass(pattern: string, chars: readonly string[], start: number, tokens: Token[]): number {
  const negated = chars[start] === '^'
  const ranges: [number, number][] = []
  let at = negated ? start + 1 : start
  const read = (): number => {
    if (chars[at] === undefined || chars[at] === '-' || chars[at] === ']')
      throw new BadPatternError(pattern, 'a character is missing in brackets')
    if (chars[at] === '\\') at++
    const code = chars[at++]?.codePointAt(0)
    if (code === undefined || at >= chars.length) throw new BadPatternError(pattern, 'a closing bracket is missing')
    return code
  }
  while (chars[at] !== ']' || ranges.length === 0) {
    const low = read()
    const isRange = chars[at] === '-'
    if (isRange) at++
    ranges.push([low, isRange ? read() : low])
  }
  tokens.push({ kind: 'class', negated, ranges })
  return at + 1
}
