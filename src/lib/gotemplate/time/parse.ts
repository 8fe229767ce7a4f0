// Reads dates by Go's layouts.
import { daysIn, isLeap, MONTHS, secondsOf, WEEKDAYS } from './calendar.ts'
import type { Instant } from './instant.ts'
import { type LayoutPart, type OffsetStyle, offsetStyle, parseLayout } from './layout.ts'
import { fixedZone, UTC } from './zone.ts'

/** What the fields of a date have said so far. */
interface Fields {
  year: number
  month: number | undefined
  day: number | undefined
  yearDay: number | undefined
  hour: number
  minute: number
  second: number
  nanoseconds: number
  half: 'am' | 'pm' | undefined
  utc: boolean
  offset: number | undefined
  zoneName: string
}

/** Ends the reading of a text that does not fit its layout. */
class Mismatch extends Error {}

/** The instant that a text means by a layout, in UTC unless it says otherwise; undefined if it does not fit. */
export function parseInstant(layout: string, text: string): Instant | undefined {
  try {
    return instantOf(new Reader(text).read(parseLayout(layout)))
  } catch (error) {
    if (error instanceof Mismatch) return undefined
    throw error
  }
}

class Reader {
  #rest: string
  readonly #fields: Fields = {
    year: 0,
    month: undefined,
    day: undefined,
    yearDay: undefined,
    hour: 0,
    minute: 0,
    second: 0,
    nanoseconds: 0,
    half: undefined,
    utc: false,
    offset: undefined,
    zoneName: '',
  }

  constructor(text: string) {
    this.#rest = text
  }

  read(parts: readonly LayoutPart[]): Fields {
    for (const [index, { text, field }] of parts.entries()) {
      if (field) this.#field(text, parts.slice(index + 1, index + 3).find((part) => part.field)?.text ?? '')
      else this.#literal(text)
    }
    if (this.#rest !== '') throw new Mismatch()
    return this.#fields
  }

  /** Any number of blanks stands for any number of blanks, also for none at the end. */
  #literal(text: string): void {
    for (const piece of text.split(/( +)/)) {
      if (piece.startsWith(' ')) {
        if (this.#rest !== '' && !this.#rest.startsWith(' ')) throw new Mismatch()
        this.#rest = this.#rest.replace(/^ +/, '')
      } else this.#take(this.#rest.startsWith(piece) ? piece.length : undefined)
    }
  }

  #take(length: number | undefined): string {
    if (length === undefined) throw new Mismatch()
    const taken = this.#rest.slice(0, length)
    this.#rest = this.#rest.slice(length)
    return taken
  }

  #match(pattern: RegExp): string {
    return this.#take(pattern.exec(this.#rest)?.[0].length)
  }

  /** A number of one or two digits, or of two. */
  #number(low: number, high: number, fixed: boolean): number {
    const value = Number(this.#match(fixed ? /^\d\d/ : /^\d\d?/))
    if (value < low || value > high) throw new Mismatch()
    return value
  }

  #name(names: readonly string[], length?: number): number {
    const rest = this.#rest.slice(0, 'September'.length).toLowerCase()
    const index = names.findIndex((name) => rest.startsWith(name.slice(0, length).toLowerCase()))
    this.#take(names[index]?.slice(0, length).length)
    return index
  }

  #field(field: string, next: string): void {
    const fields = this.#fields
    switch (field) {
      case '2006':
        fields.year = Number(this.#match(/^\d{4}/))
        break
      case '06': {
        const year = Number(this.#match(/^\d\d/))
        fields.year = year + (year >= 69 ? 1900 : 2000)
        break
      }
      case 'January':
      case 'Jan':
        fields.month = this.#name(MONTHS, field === 'Jan' ? 3 : undefined) + 1
        break
      case '01':
      case '1':
        fields.month = this.#number(1, 12, field === '01')
        break
      case 'Monday':
      case 'Mon':
        this.#name(WEEKDAYS, field === 'Mon' ? 3 : undefined)
        break
      case '02':
      case '2':
      case '_2':
        if (field === '_2') this.#match(/^ ?/)
        fields.day = this.#number(0, 99, field === '02')
        break
      case '002':
      case '__2':
        if (field === '__2') this.#match(/^ {0,2}/)
        fields.yearDay = Number(this.#match(field === '002' ? /^\d{3}/ : /^\d{1,3}/))
        break
      case '15':
        fields.hour = this.#number(0, 23, false)
        break
      case '03':
      case '3':
        fields.hour = this.#number(0, 12, field === '03')
        break
      case '04':
      case '4':
        fields.minute = this.#number(0, 59, field === '04')
        break
      case '05':
      case '5':
        fields.second = this.#number(0, 59, field === '05')
        // a fraction may follow though the layout has none
        if (/^[.,]\d/.test(this.#rest) && !/^[.,]/.test(next)) fields.nanoseconds = nanoseconds(this.#match(/^[.,]\d+/))
        break
      case 'PM':
      case 'pm':
        fields.half = this.#match(field === 'PM' ? /^[AP]M/ : /^[ap]m/).toLowerCase() === 'pm' ? 'pm' : 'am'
        break
      case 'MST':
        this.#zone()
        break
      default: {
        const style = offsetStyle(field)
        if (style) this.#offset(style)
        else fields.nanoseconds = nanoseconds(this.#match(field[1] === '0' ? new RegExp(`^[.,]\\d{${field.length - 1}}`) : /^(?:[.,]\d+)?/))
      }
    }
  }

  #offset({ zulu, colons, minutes, seconds }: OffsetStyle): void {
    if (zulu && this.#rest.startsWith('Z')) {
      this.#take(1)
      this.#fields.utc = true
      return
    }
    const colon = colons ? ':' : ''
    const text = this.#match(new RegExp(`^[+-]\\d\\d${minutes ? `${colon}\\d\\d` : ''}${seconds ? `${colon}\\d\\d` : ''}`))
    const [hour = 0, minute = 0, second = 0] = (text.slice(1).replaceAll(':', '').match(/\d\d/g) ?? []).map(Number)
    if (hour > 24 || minute > 60 || second > 60) throw new Mismatch()
    const size = (hour * 60 + minute) * 60 + second
    this.#fields.offset = text.startsWith('-') ? -size : size
  }

  #zone(): void {
    if (this.#rest.startsWith('UTC')) {
      this.#take(3)
      this.#fields.utc = true
      return
    }
    this.#fields.zoneName = this.#match(
      /^(?:ChST|MeST|GMT(?:[+-](?:[01]?\d|2[0-3])(?!\d))?|[+-](?:[01]?\d|2[0-3])(?!\d)|[A-Z]{4}T(?![A-Z])|[A-Z]{3}T(?![A-Z])|WITA(?![A-Z])|[A-Z]{3}(?![A-Z]))/,
    )
  }
}

/** Digits beyond the ninth are dropped. */
function nanoseconds(fraction: string): number {
  return Number(fraction.slice(1, 10).padEnd(9, '0'))
}

function instantOf(fields: Fields): Instant {
  const { year, minute, second, nanoseconds: fraction, utc, offset, zoneName } = fields
  const { month, day } = dateOf(fields)
  if (day < 1 || day > daysIn(month, year)) throw new Mismatch()
  const hour = fields.half === 'pm' && fields.hour < 12 ? fields.hour + 12 : fields.half === 'am' && fields.hour === 12 ? 0 : fields.hour
  const seconds = secondsOf(year, month, day, hour, minute, second)
  if (!utc && offset !== undefined) {
    // an offset of zero without another name is UTC, which is the local zone
    const zone = offset === 0 && (zoneName === '' || zoneName === 'UTC') ? UTC : fixedZone(offset, zoneName)
    return { seconds: seconds - offset, nanoseconds: fraction, zone }
  }
  if (!utc && zoneName !== '') {
    const hours = zoneName.startsWith('GMT') ? Number(zoneName.slice(3)) : 0
    return { seconds, nanoseconds: fraction, zone: fixedZone(hours * 3_600, zoneName) }
  }
  return { seconds, nanoseconds: fraction, zone: UTC }
}

function dateOf(fields: Fields): { month: number; day: number } {
  const { year, yearDay } = fields
  if (yearDay === undefined) return { month: fields.month ?? 1, day: fields.day ?? 1 }
  if (yearDay < 1 || yearDay > (isLeap(year) ? 366 : 365)) throw new Mismatch()
  let [month, day] = [1, yearDay]
  for (; day > daysIn(month, year); month++) day -= daysIn(month, year)
  if ((fields.month ?? month) !== month || (fields.day ?? day) !== day) throw new Mismatch()
  return { month, day }
}
