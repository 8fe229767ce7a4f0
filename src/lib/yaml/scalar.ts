// The type that Go's YAML reader gives to a scalar without quotes. Reading and writing share it: what would not be read back as text is quoted.

/** A plain scalar after typing. Integers are bigint where a double cannot hold them; `float` may be infinite or NaN. */
export type PlainScalar =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int'; readonly value: number | bigint }
  | { readonly type: 'float'; readonly value: number }
  /** a date, read as text but written in quotes */
  | { readonly type: 'timestamp' }
  | { readonly type: 'text' }

const TEXT: PlainScalar = { type: 'text' }
const WORDS: ReadonlyMap<string, PlainScalar> = new Map([
  ...words(['', '~', 'null', 'Null', 'NULL'], { type: 'null' }),
  ...words(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'], { type: 'bool', value: true }),
  ...words(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'], { type: 'bool', value: false }),
  ...words(['.nan', '.NaN', '.NAN'], { type: 'float', value: Number.NaN }),
  ...words(['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'], { type: 'float', value: Number.POSITIVE_INFINITY }),
  ...words(['-.inf', '-.Inf', '-.INF'], { type: 'float', value: Number.NEGATIVE_INFINITY }),
])

const LEADING_POINT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const TIMESTAMP =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[-+](\d\d):(\d\d))| (\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?)?$/
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n

function words(texts: readonly string[], scalar: PlainScalar): [string, PlainScalar][] {
  return texts.map((text) => [text, scalar])
}

/** Types a scalar as Go does: YAML 1.1 words, octal by leading zero, `_` between digits, no base 60, no dates. */
export function typeOfPlain(text: string): PlainScalar {
  const word = WORDS.get(text)
  if (word) return word
  const first = text.charCodeAt(0)
  if (first === 0x2e) return LEADING_POINT.test(text) ? float(text.replaceAll('_', '')) : TEXT
  if (first === 0x2b || first === 0x2d || (first >= 0x30 && first <= 0x39))
    return isTimestamp(text) ? { type: 'timestamp' } : number(text.replaceAll('_', ''))
  return TEXT
}

function number(text: string): PlainScalar {
  const integer = INTEGER.exec(text)
  if (integer) {
    const value = parseInteger(integer)
    if (value !== undefined) return { type: 'int', value }
  }
  return FLOAT.test(text) ? float(text) : TEXT
}

/** Undefined when the number fits neither 64 bits with sign nor, written without one, 64 bits without. */
function parseInteger([, sign, hex, binary, octal, decimal]: readonly (string | undefined)[]): number | bigint | undefined {
  const [digits, radix] = hex ? [hex, 16] : binary ? [binary, 2] : octal ? [octal, 8] : [decimal ?? '', 10]
  const short = Number.parseInt(digits, radix)
  if (Number.isSafeInteger(short)) return sign === '-' && short !== 0 ? -short : short
  const prefix = hex ? '0x' : binary ? '0b' : octal ? '0o' : ''
  const size = BigInt(prefix + digits)
  const value = sign === '-' ? -size : size
  const max = sign ? MAX_INT64 : MAX_UINT64
  return value >= MIN_INT64 && value <= max ? value : undefined
}

/** Beyond the range of a double the text stays text. */
function float(text: string): PlainScalar {
  const value = Number(text)
  return Number.isFinite(value) ? { type: 'float', value } : TEXT
}

/** The forms of a date that Go's reader knows, with a calendar check: 2024-02-30 is text. */
function isTimestamp(text: string): boolean {
  if (text.charCodeAt(4) !== 0x2d) return false
  const match = TIMESTAMP.exec(text)
  if (!match) return false
  const [year = 0, month = 0, day = 0, ...rest] = match.slice(1).map((part) => Number(part ?? 0))
  const [hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0, plainHour = 0, plainMinute = 0, plainSecond = 0] = rest
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  const isTime = Math.max(hour, plainHour) < 24 && Math.max(minute, plainMinute, second, plainSecond) < 60
  return isDay && isTime && zoneHour <= 24 && zoneMinute < 60
}
