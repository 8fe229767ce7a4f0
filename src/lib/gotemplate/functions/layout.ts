// Texts laid out: abbreviated, wrapped, indented. Lengths are bytes, as in sprig.
import { fail } from '../errors.ts'
import { fromBytes, toBytes } from '../values/bytes.ts'
import type { Run } from '../values/value.ts'
import { define, defineWith, type FunctionTable } from './define.ts'
import { replaceAll } from './strings.ts'

/** Functions that lay out texts. */
export const LAYOUT: FunctionTable = {
  abbrev: define(['int', 'string'], (width, text) => (width < 4n ? text : onBytes(text, (bytes) => abbreviated(bytes, 0, Number(width))))),
  abbrevboth: define(['int', 'int', 'string'], (left, right, text) => {
    if (right < 4n || (left > 0n && right < 7n)) return text
    return onBytes(text, (bytes) => abbreviated(bytes, Number(left), Number(right)))
  }),
  wrap: defineWith(['int', 'string'], (run, width, text) =>
    onBytes(text, (bytes) => wrapped(bytes, Number(width), '\n', false, run.meter)),
  ),
  wrapWith: defineWith(['int', 'string', 'string'], (run, width, separator, text) => {
    const line = separator === '' ? '\n' : toBytes(separator).toString('latin1')
    return onBytes(text, (bytes) => wrapped(bytes, Number(width), line, true, run.meter))
  }),
  indent: defineWith(['int', 'string'], (run, spaces, text) => indented(text, Number(spaces), run.meter)),
  nindent: defineWith(['int', 'string'], (run, spaces, text) => `\n${indented(text, Number(spaces), run.meter)}`),
}

/** Works on a text of which each character is a byte. */
function onBytes(text: string, change: (bytes: string) => string): string {
  return fromBytes(Buffer.from(change(toBytes(text).toString('latin1')), 'latin1'))
}

function abbreviated(text: string, offset: number, width: number): string {
  if (text === '' || width < 4) return ''
  if (text.length <= width) return text
  const latest = text.length - (width - 3)
  const start = Math.min(offset, latest, text.length)
  if (start <= 4) return `${text.slice(0, width - 3)}...`
  if (width < 7) return ''
  if (start + width - 3 < text.length) return `...${abbreviated(text.slice(start), 0, width - 3)}`
  return `...${text.slice(latest)}`
}

function wrapped(text: string, given: number, separator: string, cutsWords: boolean, meter: Run['meter']): string {
  const width = Math.max(given, 1)
  let lines = ''
  let offset = 0
  while (text.length - offset > width) {
    meter.step()
    if (text[offset] === ' ') {
      offset++
      continue
    }
    const line = lineEnd(text, offset, width, cutsWords)
    if (!line) break
    meter.create(line.end - offset + separator.length)
    lines += text.slice(offset, line.end) + separator
    offset = line.next
  }
  return lines + text.slice(offset)
}

/** Where the line that starts at an offset ends and the next one starts; undefined if there is no next one. */
function lineEnd(text: string, offset: number, width: number, cutsWords: boolean): { end: number; next: number } | undefined {
  const blank = text.lastIndexOf(' ', offset + width)
  if (blank >= offset) return { end: blank, next: blank + 1 }
  if (cutsWords) return { end: offset + width, next: offset + width }
  const end = text.indexOf(' ', offset + width)
  return end < 0 ? undefined : { end, next: end + 1 }
}

function indented(text: string, spaces: number, meter: Run['meter']): string {
  if (spaces < 0) fail('strings: negative Repeat count')
  meter.create(spaces)
  const pad = ' '.repeat(spaces)
  return pad + replaceAll(text, '\n', `\n${pad}`, meter)
}
