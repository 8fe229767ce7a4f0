// Durations as Go's time package reads and writes them. 64-bit nanoseconds need bigint: a number loses digits after 104 days.

const MAX = 1n << 63n
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  '\u00b5s': 1_000n,
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/**
 * Nanoseconds of a text such as `1h30m`, `-1.5h` or `0`. Throws on anything else and on what does not fit 64 bits.
 * Digits of a fraction beyond the nanosecond are dropped.
 */
export function parseDuration(text: string): bigint {
  const negative = text.startsWith('-')
  const rest = negative || text.startsWith('+') ? text.slice(1) : text
  if (rest === '0') return 0n
  if (rest === '') throw invalid(text)
  let total = 0n
  let position = 0
  const part = /(\d*)(?:(\.)(\d*))?([^\d.]+)/y
  while (position < rest.length) {
    part.lastIndex = position
    const match = part.exec(rest)
    if (!match) throw invalid(text)
    total += nanoseconds(text, match)
    // the lowest value is its own negative: 2⁶³ passes here, and only a minus makes it fit
    if (total > MAX) throw invalid(text)
    position = part.lastIndex
  }
  if (negative) return -total
  if (total === MAX) throw invalid(text)
  return total
}

function nanoseconds(text: string, [, whole = '', , fraction = '', name = '']: RegExpExecArray): bigint {
  const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined
  if (unit === undefined || whole + fraction === '') throw invalid(text)
  const digits = BigInt(whole || '0')
  if (digits > MAX / unit) throw invalid(text)
  const value = digits * unit + fractionOf(fraction, unit)
  if (value > MAX) throw invalid(text)
  return value
}

// Go collects digits of the fraction while they fit 63 bits, and multiplies in floating point
function fractionOf(fraction: string, unit: bigint): bigint {
  let digits = 0n
  let scale = 1
  for (const digit of fraction) {
    if (digits > (MAX - 1n) / 10n) break
    const next = digits * 10n + BigInt(digit)
    if (next > MAX) break
    digits = next
    scale *= 10
  }
  return digits === 0n ? 0n : BigInt(Math.trunc(Number(digits) * (Number(unit) / scale)))
}

function invalid(text: string): Error {
  return new Error(`${JSON.stringify(text)} is not a duration: write one such as 90s, 15m or 1h30m`)
}

/** Milliseconds of a duration text, for timers; fractions of a millisecond are dropped. Throws as `parseDuration`. */
export function parseDurationMs(text: string): number {
  return Number(parseDuration(text) / 1_000_000n)
}

/** Shorter intervals are not honoured: a server is not to be flooded. */
const MIN_INTERVAL_MS = 1_000

/** Milliseconds between two questions, a second at least; the fallback if there is none, or none that is positive. An API server has checked the text before. */
export function intervalMs(text: string | null | undefined, fallbackMs: number): number {
  const ms = text ? lenientMs(text) : 0
  return ms > 0 ? Math.max(ms, MIN_INTERVAL_MS) : fallbackMs
}

/** One that slipped through the checks is treated as absent. */
function lenientMs(text: string): number {
  try {
    return parseDurationMs(text)
  } catch {
    return 0
  }
}

/** The text that Go writes for nanoseconds: `1h30m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds < 0n) return `-${formatDuration(-nanoseconds)}`
  if (nanoseconds === 0n) return '0s'
  if (nanoseconds < 1_000n) return `${nanoseconds}ns`
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 3)}µs`
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 6)}ms`
  const minutes = nanoseconds / 60_000_000_000n
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 9)}s`
  if (minutes === 0n) return seconds
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`
}

/** A number with so many digits after the point, without zeros at its end. */
function decimal(value: bigint, places: number): string {
  const text = value.toString().padStart(places + 1, '0')
  return `${text.slice(0, -places)}.${text.slice(-places)}`.replace(/\.?0+$/, '')
}
