// Go's layouts of dates: the date 2006-01-02 15:04:05 MST, written as others are to be written.

/** One piece of a layout: text that stands for itself, or a field of the date in the way it is written there. */
export interface LayoutPart {
  readonly text: string
  readonly field: boolean
}

const FIELD = new RegExp(
  [
    'January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST',
    '0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm',
    '-070000|-07:00:00|-0700|-07:00|-07',
    'Z070000|Z07:00:00|Z0700|Z07:00|Z07',
    String.raw`[.,]0+(?!\d)|[.,]9+(?!\d)`,
  ].join('|'),
  'g',
)

/** Cuts a layout into its parts. */
export function parseLayout(layout: string): readonly LayoutPart[] {
  const parts: LayoutPart[] = []
  let from = 0
  for (const match of layout.matchAll(FIELD)) {
    if (match.index > from) parts.push({ text: layout.slice(from, match.index), field: false })
    parts.push({ text: match[0], field: true })
    from = match.index + match[0].length
  }
  if (from < layout.length) parts.push({ text: layout.slice(from), field: false })
  return parts
}

/** How an offset such as `-07:00` or `Z0700` is written. */
export interface OffsetStyle {
  /** UTC is written as Z */
  readonly zulu: boolean
  readonly colons: boolean
  readonly minutes: boolean
  readonly seconds: boolean
}

/** The style of a field that stands for an offset; undefined for other fields. */
export function offsetStyle(field: string): OffsetStyle | undefined {
  if (!/^[-Z]07/.test(field)) return undefined
  const digits = field.replace(/\D/g, '').length
  return { zulu: field.startsWith('Z'), colons: field.includes(':'), minutes: digits >= 4, seconds: digits === 6 }
}
