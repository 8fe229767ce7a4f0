// Where the values of a YAML file stand: each scalar that is a value, with its place in the text.
import { EVENT_ID, type Event, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'
import { parseRelaxed } from '../lib/yaml/relaxed-events.ts'
import { scalarText } from '../lib/yaml/text.ts'

/** A scalar that is a value and has a text of its own. Offsets are in UTF-16 units, quotes are outside. */
export interface PlacedScalar {
  readonly style: 'plain' | 'single' | 'double' | 'block'
  readonly start: number
  readonly end: number
  /** what it means */
  readonly value: string
  /** where the key begins that it belongs to, anchors and tags not counted; undefined for items of lists, and below keys that are no scalars */
  readonly key?: number | undefined
}

const MAX_DEPTH = 100

/** The values of all documents of a text, in their order. Throws YamlError for what is no YAML. */
export function placedScalars(text: string): PlacedScalar[] {
  const { events, source, inserted } = parseRelaxed(text, MAX_DEPTH)
  const place = originalOffsets(source, inserted)
  return valuesOf(events)
    .filter(({ event }) => event.valueStart >= 0)
    .map(({ event, key }) => ({
      style: styleOf(event),
      start: place(event.valueStart),
      end: place(event.valueEnd),
      value: scalarText(source, event).text,
      ...(key === undefined ? {} : { key: place(key) }),
    }))
}

/** Scalars that are no keys, with the beginning of the key before them. */
function valuesOf(events: readonly Event[]): { readonly event: ScalarEvent; readonly key: number | undefined }[] {
  const values: { event: ScalarEvent; key: number | undefined }[] = []
  // For each open node how many nodes are in it; of those of a map every other one is a key.
  const open: { isMap: boolean; count: number; key: number | undefined }[] = []
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      open.pop()
      continue
    }
    const parent = open.at(-1)
    const isKey = parent?.isMap === true && parent.count % 2 === 0
    if (event.type === EVENT_ID.SCALAR && !isKey) values.push({ event, key: parent?.key })
    if (parent) {
      parent.count++
      parent.key = isKey && event.type === EVENT_ID.SCALAR && event.valueStart >= 0 ? event.valueStart : undefined
    }
    if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING)
      open.push({ isMap: event.type === EVENT_ID.MAPPING, count: 0, key: undefined })
  }
  return values
}

function styleOf({ style }: ScalarEvent): PlacedScalar['style'] {
  if (style === SCALAR_STYLE.SINGLE_QUOTED) return 'single'
  if (style === SCALAR_STYLE.DOUBLE_QUOTED) return 'double'
  return style === SCALAR_STYLE.PLAIN ? 'plain' : 'block'
}

/** From a place in the text that was read to the one in the file: the parser may have been given blanks at the beginning of lines. */
function originalOffsets(source: string, inserted: ReadonlyMap<number, number>): (offset: number) => number {
  if (inserted.size === 0) return (offset) => offset
  const added: { readonly from: number; readonly total: number }[] = []
  let total = 0
  let line = 1
  for (let at = 0; at >= 0; at = nextLine(source, at)) {
    const blanks = inserted.get(line++)
    if (blanks === undefined) continue
    total += blanks
    added.push({ from: at, total })
  }
  return (offset) => offset - (added.findLast(({ from }) => from <= offset)?.total ?? 0)
}

function nextLine(source: string, at: number): number {
  const end = source.indexOf('\n', at)
  return end < 0 ? -1 : end + 1
}
