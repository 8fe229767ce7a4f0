// Where the text of a scalar differs between the parser and Go's reader.
import { getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[\s\S])/g

/** The text of a scalar; a string under `problem` when Go refuses it. */
export function scalarText(source: string, event: ScalarEvent): { text: string; problem?: string } {
  const text = getScalarValue(source, event)
  if (event.fast || event.valueStart < 0) return { text }
  if (event.style === SCALAR_STYLE.DOUBLE_QUOTED) {
    const problem = badEscape(source.slice(event.valueStart, event.valueEnd))
    return problem ? { text, problem } : { text }
  }
  const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK
  return { text: isBlock && text.endsWith('\n') && endsWithoutBreak(source, event) ? text.slice(0, -1) : text }
}

/** A block whose last line is the end of the file has no final line break, whatever its header says. */
function endsWithoutBreak(source: string, event: ScalarEvent): boolean {
  if (event.valueEnd < source.length) return false
  const region = source.slice(event.valueStart, event.valueEnd)
  const lastLine = region.slice(Math.max(region.lastIndexOf('\n'), region.lastIndexOf('\r')) + 1)
  return lastLine.length > Math.max(event.indent, 0)
}

function badEscape(raw: string): string | undefined {
  for (const [sequence, short, long] of raw.matchAll(ESCAPE)) {
    if (sequence === '\\/') return 'unknown escape sequence \\/: write the slash alone'
    const code = Number.parseInt(short ?? long ?? '0', 16)
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return `the escape sequence ${sequence} is no character`
  }
  return undefined
}
