// Time zones. Offsets come from the runtime's own table, so they need no files.

/** A time zone. */
export interface Zone {
  readonly name: string
  /** Seconds east of Greenwich at so many seconds since 1970. */
  offsetAt(seconds: number): number
  /** The abbreviation used then; empty if the zone has none. */
  abbreviationAt(seconds: number): string
}

/** Universal time. */
export const UTC: Zone = fixedZone(0, 'UTC')

/** A zone that is only an offset. */
export function fixedZone(offset: number, abbreviation: string): Zone {
  return { name: abbreviation, offsetAt: () => offset, abbreviationAt: () => abbreviation }
}

const HALF_YEAR = 182 * 86_400
// the largest instant that the runtime's dates reach
const MAX_SECONDS = 8.64e12
// each of these spells out other abbreviations
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IE', 'en-IN', 'en-ZA']
const ABBREVIATIONS: ReadonlySet<string> = new Set([
  ...['ACDT', 'ACST', 'ADT', 'AEDT', 'AEST', 'AKDT', 'AKST', 'AST', 'AWST', 'BST', 'CAT', 'CDT', 'CEST', 'CET', 'CST', 'EAT', 'EDT'],
  ...['EEST', 'EET', 'EST', 'GMT', 'HDT', 'HST', 'IST', 'MDT', 'MST', 'NDT', 'NST', 'NZDT', 'NZST', 'PDT', 'PST', 'SAST', 'SST', 'UTC'],
  ...['WAT', 'WEST', 'WET'],
])
// abbreviations that no locale of the runtime knows: standard time, daylight saving time
const OTHERS: Readonly<Record<string, readonly [standard: string, daylight?: string]>> = {
  'Asia/Hong_Kong': ['HKT'],
  'Asia/Jakarta': ['WIB'],
  'Asia/Jayapura': ['WIT'],
  'Asia/Jerusalem': ['IST', 'IDT'],
  'Asia/Karachi': ['PKT'],
  'Asia/Macau': ['CST'],
  'Asia/Makassar': ['WITA'],
  'Asia/Manila': ['PST'],
  'Asia/Seoul': ['KST'],
  'Asia/Shanghai': ['CST'],
  'Asia/Taipei': ['CST'],
  'Asia/Tokyo': ['JST'],
  'Europe/Moscow': ['MSK'],
  'Europe/Simferopol': ['MSK'],
  'Pacific/Guam': ['ChST'],
}

/** The zone of a name such as `Asia/Tokyo`; undefined if there is none. `Local` is UTC: templates give the same everywhere. Takes a millisecond. */
export function loadZone(name: string): Zone | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return UTC
  if (!/^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/.test(name)) return undefined
  const offsets = formatter('en-US', name, 'longOffset')
  const resolved = offsets?.resolvedOptions().timeZone
  // names of zones have one spelling
  if (!offsets || (resolved !== name && resolved?.toLowerCase() === name.toLowerCase())) return undefined
  const names = LOCALES.map((locale) => formatter(locale, name, 'short'))
  const offsetAt = (seconds: number) => readOffset(offsets, seconds)
  return {
    name,
    offsetAt,
    abbreviationAt: (seconds) => otherAbbreviation(name, offsetAt, seconds) ?? abbreviation(names, offsetAt, seconds),
  }
}

function formatter(locale: string, timeZone: string, timeZoneName: 'longOffset' | 'short'): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat(locale, { timeZone, timeZoneName })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function zoneName(format: Intl.DateTimeFormat | undefined, seconds: number): string {
  const clamped = Math.min(Math.max(seconds, -MAX_SECONDS), MAX_SECONDS)
  return format?.formatToParts(clamped * 1_000).find((part) => part.type === 'timeZoneName')?.value ?? ''
}

function readOffset(format: Intl.DateTimeFormat, seconds: number): number {
  const [, sign, hours, minutes, rest] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(zoneName(format, seconds)) ?? []
  const size = Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(rest ?? 0)
  return sign === '-' ? -size : size
}

function otherAbbreviation(name: string, offsetAt: Zone['offsetAt'], seconds: number): string | undefined {
  const [standard, daylight] = (Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined) ?? []
  if (daylight === undefined) return standard
  return offsetAt(seconds) > Math.min(offsetAt(seconds - HALF_YEAR), offsetAt(seconds + HALF_YEAR)) ? daylight : standard
}

/** What a locale calls the zone, or its offset, which is how the zone database names zones without a name. */
function abbreviation(names: readonly (Intl.DateTimeFormat | undefined)[], offsetAt: Zone['offsetAt'], seconds: number): string {
  for (const format of names) {
    const name = zoneName(format, seconds)
    if (ABBREVIATIONS.has(name)) return name
  }
  const offset = offsetAt(seconds)
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 3_600), Math.floor((Math.abs(offset) % 3_600) / 60)]
  return `${offset < 0 ? '-' : '+'}${two(hours)}${minutes > 0 ? two(minutes) : ''}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
