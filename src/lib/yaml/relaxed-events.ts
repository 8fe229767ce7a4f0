// The events of the parser, for files that continue brackets and quotes without indentation: Go's reader takes them, the parser insists on YAML 1.2.
import { type Event, parseEvents, YAMLException } from 'js-yaml'
import { YamlError } from './error.ts'

/** `source` is the text that the events point into; it differs from the file by blanks at the beginning of lines. */
export interface ParsedEvents {
  readonly events: readonly Event[]
  readonly source: string
  /** how many blanks were put in front of a line, by line counted from 1 */
  readonly inserted: ReadonlyMap<number, number>
}

const DEFICIENT = 'deficient indentation'
const BLANKS = ' '.repeat(100)
/** how much text is read again at most, in characters */
const RETRY_BUDGET = 64 * 2 ** 20

/** @throws YamlError */
export function parseRelaxed(text: string, maxDepth: number): ParsedEvents {
  const inserted = new Map<number, number>()
  let source = text
  let budget = RETRY_BUDGET
  for (;;) {
    try {
      return { events: parseEvents(source, { maxDepth }), source, inserted }
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error
      const { mark, reason } = error
      budget -= source.length
      const start = mark ? mark.position - mark.column : 0
      if (!mark || reason !== DEFICIENT || budget < 0 || isMarker(source, start)) throw toYamlError(error, inserted)
      // white space at the beginning of such a line means nothing
      source = source.slice(0, start) + BLANKS + source.slice(start)
      inserted.set(mark.line + 1, (inserted.get(mark.line + 1) ?? 0) + BLANKS.length)
    }
  }
}

/** A line that ends the document, whatever is open. */
function isMarker(source: string, start: number): boolean {
  return /^(?:---|\.\.\.)(?:\s|$)/.test(source.slice(start, start + 4))
}

/** The message of the exception shows lines of the file, which may hold secrets: only its reason is passed on. */
function toYamlError({ mark, reason }: YAMLException, inserted: ReadonlyMap<number, number>): YamlError {
  return new YamlError(reason, mark ? originalPlace(mark.line + 1, mark.column + 1, inserted) : undefined)
}

/** A place in the file, for one in the text that was read. */
export function originalPlace(line: number, column: number, inserted: ReadonlyMap<number, number>): { line: number; column: number } {
  return { line, column: Math.max(1, column - (inserted.get(line) ?? 0)) }
}
