// What a manifest would make of a live object, for objects that the API server refuses to apply.
import { isObject } from '../../lib/kstatus/fields.ts'

interface OverlayOptions {
  /** put in what is empty and not there, too */
  readonly keepEmpty?: boolean
  /** take lists as they are wanted, with nothing of the live elements */
  readonly replaceLists?: boolean
}

/**
 * The live value with what is wanted on top of it: maps are merged, and so are the elements of lists that correspond to each other.
 * Where both sides mean the same quantity or number, the live form stays; what is empty and not there stays away.
 */
export function overlay(live: unknown, wanted: unknown, options: OverlayOptions = {}): unknown {
  if (isObject(wanted)) {
    if (!isObject(live)) return wanted
    const merged = Object.entries(wanted)
      .filter(([key, value]) => options.keepEmpty || Object.hasOwn(live, key) || !isZero(value))
      .map(([key, value]) => [key, Object.hasOwn(live, key) ? overlay(live[key], value, options) : value])
    return Object.fromEntries([...Object.entries(live), ...merged])
  }
  if (Array.isArray(wanted) && Array.isArray(live) && wanted.length === live.length && !options.replaceLists)
    return wanted.map((value, index) => (correspond(live[index], value) ? overlay(live[index], value, options) : value))
  return meanSame(live, wanted) ? live : wanted
}

/** Elements of lists that are known by a name are the same ones only under the same name. */
function correspond(live: unknown, wanted: unknown): boolean {
  return !isObject(live) || !isObject(wanted) || live.name === wanted.name
}

/** What the API server leaves out of the fields of most kinds. */
function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) ? Object.keys(value).length === 0 : !value
}

function meanSame(live: unknown, wanted: unknown): boolean {
  if (live === wanted) return true
  const [left, right] = [amountOf(live), amountOf(wanted)]
  return left !== undefined && right !== undefined && Math.abs(left - right) <= Math.abs(left) * 1e-12
}

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
}

/** A quantity as a number; undefined for anything else. */
function amountOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.length > 40) return undefined
  const [, digits, suffix = ''] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkKMGTPE]i?|)$/.exec(value) ?? []
  const factor = SUFFIXES[suffix]
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}
